"""Image streams with tags in every state that an import leaves them in, in as few words as a test needs."""

from webhook.importer.results import CHECK_ANNOTATION

DIGEST = "sha256:" + "aa" * 32
SINCE = "2026-03-01T12:00:00Z"


def tag(name="latest", source="quay.io/acme/app:v1", generation=1, *, kind="DockerImage", scheduled=False, **more):
    policy = {"importMode": "Legacy"} | ({"scheduled": True} if scheduled else {})
    one = {"name": name, "generation": generation, "importPolicy": policy, "referencePolicy": {"type": "Source"}}
    return one | ({"from": {"kind": kind, "name": source}} if source else {}) | more


def seen(name="latest", *, imported=0, failed=0, retried=""):
    """What status says of a tag: the generations at which it was imported and at which it failed."""
    items = (
        [{"created": "x", "dockerImageReference": "x", "image": DIGEST, "generation": imported}] if imported else None
    )
    conditions = [{"type": "ImportSuccess", "status": "False", "generation": failed}] if failed else []
    if retried:
        conditions.append(
            {"type": "ImportRetry", "status": "True", "lastTransitionTime": retried, "generation": failed}
        )
    return {"tag": name, "items": items} | ({"conditions": conditions} if conditions else {})


def stream(*tags, status=(), repository="", checked=False, name="app", version="7", **annotations):
    annotations |= {CHECK_ANNOTATION: "2026-01-02T03:04:05Z"} if checked else {}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": "u-1",
            "resourceVersion": version,
            "annotations": annotations,
        },
        "spec": {"tags": list(tags)} | ({"dockerImageRepository": repository} if repository else {}),
        "status": {"tags": list(status)},
    }


def targets(request):
    return [image["to"]["name"] for image in request["spec"].get("images", [])] if request else None
