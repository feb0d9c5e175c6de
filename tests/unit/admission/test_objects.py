"""Whole objects that a policy needs to see: what comes of an API that does not answer."""

import pytest

from tests.unit.admission.streams import V1
from webhook.admission.objects import Objects
from webhook.errors import Forbidden
from webhook.kube.failure import Unreachable


class Api:
    """Raises `error` for every question, and counts them."""

    def __init__(self, error):
        self.error = error
        self.asked = 0

    def __call__(self, _resource, _namespace, _name):
        self.asked += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        pytest.param(Unreachable("timed out"), 1, id="nobody answers: nobody is asked again"),
        pytest.param(Forbidden("may not"), 5, id="a refusal comes at once"),
        pytest.param(KeyError("odd"), 5, id="so does a fault of ours"),
    ],
)
def test_an_api_that_does_not_answer_is_waited_for_once(error, asked):
    now = 100.0
    api = Api(error)
    objects = Objects(api, timer=lambda: now)
    assert [objects.image(V1) for _ in range(5)] == [None] * 5
    assert api.asked == asked
    now += 2.1
    objects.image(V1)
    assert api.asked == asked + 1


@pytest.mark.parametrize(("error", "traced"), [(Unreachable("timed out"), False), (KeyError("odd"), True)])
def test_only_a_fault_of_ours_is_logged_with_its_trace(caplog, error, traced):
    Objects(Api(error)).image(V1)
    (line,) = caplog.records
    assert bool(line.exc_info) is traced
