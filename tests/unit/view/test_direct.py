"""Look-ups from the store itself, and a view that it confirms."""

import pytest

from tests.unit.admission.streams import INTEGRATED, V1, event, stream
from webhook.view.direct import IMAGES, STREAMS, CheckedView, DirectView
from webhook.view.index import View

SPEC, GONE = (f"quay.io/team/app@{digest}" for digest in (V1, "sha256:" + "0" * 64))
OLD = stream("shop", "app", version="10", v1=event("quay.io/team/app:v1", V1))
NEW = stream("shop", "app", version="11", local=True, v1=event("quay.io/team/app:v1", V1))


class Stored:
    """What is stored, and the streams that were read whole."""

    def __init__(self, *streams):
        self.streams = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in streams}
        self.loaded = []

    def load(self, resource, namespace, name):
        assert resource == STREAMS
        self.loaded.append(name)
        return self.streams.get((namespace, name))

    def version(self, resource, namespace, name):
        if resource == IMAGES:
            return 7 if name == V1 else 0
        found = self.streams.get((namespace, name))
        return 0 if found is None else int(found["metadata"]["resourceVersion"])


def checked(known, *stored):
    store = Stored(*stored)
    return CheckedView(View.from_objects(known), DirectView(store.load, INTEGRATED), store.version), store


@pytest.mark.parametrize(
    ("known", "loaded"),
    [
        pytest.param([NEW], [], id="one that the view has as it is stored costs no decoding"),
        pytest.param([OLD], ["app"], id="one that was changed since is read anew"),
        pytest.param([], ["app"], id="so is one that the view has not heard of"),
    ],
)
def test_a_stream_is_what_is_stored(known, loaded):
    view, store = checked(known, NEW)
    assert view.stream("shop", "app").local is True
    assert store.loaded == loaded


def test_a_stream_that_was_deleted_since_is_gone():
    view, store = checked([OLD])
    assert view.stream("shop", "app") is None
    assert store.loaded == []


def test_an_image_exists_if_it_is_stored():
    view, _ = checked([OLD], OLD)
    known = view.stream("shop", "app")
    assert [view.has_image(one, known) for one in (SPEC, GONE)] == [True, False]


def test_while_the_store_cannot_say_the_view_answers():
    view = CheckedView(View.from_objects([OLD]), DirectView(Stored().load, INTEGRATED), lambda *_: None)
    known = view.stream("shop", "app")
    assert (known.version, view.has_image(SPEC, known)) == (10, True)
