"""Image lookup as the sandbox calls it."""

import pytest

from tests.unit.admission.streams import INTEGRATED, V1, V2, event, stream, view
from webhook.admission.mutate import Mutator
from webhook.admission.notices import FAULT, NOT_READY
from webhook.admission.policy import Policy
from webhook.errors import Forbidden
from webhook.view.direct import IMAGES, STREAMS, DirectView
from webhook.view.index import View


def policy():
    return Policy(INTEGRATED)


def pod(image):
    return {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": image, "env": []}]}}


def test_the_object_comes_back_rewritten_and_the_given_one_is_untouched():
    given = pod("app:v1")
    stored, warnings = Mutator(view(), policy)("", "pods", "CREATE", "shop", given, None, "")
    assert (stored, warnings) == (pod(f"quay.io/team/app@{V1}"), [])
    assert given == pod("app:v1")


@pytest.mark.parametrize(
    ("resource", "obj"),
    [("pods", pod("nginx")), ("pods", {"spec": {"containers": 1}}), ("services", {"spec": {}})],
)
def test_what_does_not_change_is_the_same_object(resource, obj):
    stored, warnings = Mutator(view(), policy)("", resource, "CREATE", "shop", obj)
    assert stored is obj
    assert warnings == []


def test_a_run_level_namespace_is_skipped():
    namespaces = {"shop": {"metadata": {"labels": {"openshift.io/run-level": "1"}}}}
    stored, _ = Mutator(view(), policy, namespaces.get)("", "pods", "CREATE", "shop", pod("app:v1"))
    assert stored == pod("app:v1")


def test_a_replication_controller_without_a_template_is_refused():
    with pytest.raises(Forbidden):
        Mutator(view(), policy)("", "replicationcontrollers", "CREATE", "shop", {"metadata": {"name": "web"}})


def test_our_own_faults_and_an_empty_view_are_warnings():
    class Broken:
        ready = True

        def stream(self, namespace, name):
            raise RuntimeError("database is locked")

    assert Mutator(Broken(), policy)("", "pods", "CREATE", "shop", pod("app:v1")) == (pod("app:v1"), [FAULT])
    assert Mutator(View(), policy)("", "pods", "CREATE", "shop", pod("app:v1")) == (pod("app:v1"), [NOT_READY])


def test_a_direct_view_sees_every_write_at_once():
    stored = {}
    mutate = Mutator(DirectView(lambda *key: stored.get(key), INTEGRATED), policy)

    def image():
        return mutate("", "pods", "CREATE", "shop", pod("app:v1"))[0]["spec"]["containers"][0]["image"]

    assert image() == "app:v1"
    stored[STREAMS, "shop", "app"] = stream("shop", "app", local=True, repository="ignored", v1=event("q.io/a/b:1", V2))
    assert image() == f"{INTEGRATED}/shop/app:v1"
    stored[IMAGES, "", V2] = {"metadata": {"name": V2}}
    assert image() == f"q.io/a/b@{V2}"
