"""managedFields of a kind around its writes, where a real kube-apiserver was the witness."""

from webhook.apiserver.ownership import Ownership
from webhook.apiserver.rest import Call
from webhook.image.schema import for_kind
from webhook.meta.identity import ADMINISTRATOR

GV = "image.openshift.io/v1"
OWNERSHIP = Ownership(for_kind("ImageStream"), GV, has_status=True)


def stream(spec, **labels):
    return {
        "apiVersion": GV,
        "kind": "ImageStream",
        "metadata": {"name": "php", **({"labels": labels} if labels else {})},
        "spec": spec,
    }


def test_what_nobody_owned_before_the_first_apply_is_recorded_with_its_containers():
    live = stream({"tags": [{"name": "8.2", "reference": True}]}, app="shop")

    _, managed = OWNERSHIP.applied(Call(ADMINISTRATOR, "shop", field_manager="ci"), live, live, stream({}), False)

    found = {one["manager"]: one["fieldsV1"] for one in managed}
    assert found["before-first-apply"] == {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {"f:tags": {".": {}, 'k:{"name":"8.2"}': {".": {}, "f:name": {}, "f:reference": {}}}},
    }
