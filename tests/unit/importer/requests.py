"""ImageStreamImports and what was fetched for them, in as few words as a test needs."""

from webhook.importer.fetched import FetchedImage

NOW = "2026-03-01T12:00:00Z"
EARLIER = "2026-01-02T03:04:05Z"
AA, BB = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32
MISSING = {
    "metadata": {},
    "status": "Failure",
    "reason": "NotFound",
    "message": 'dockerimage.image.openshift.io "quay.io/acme/app:nope" not found',
    "code": 404,
}
DOWN = {**MISSING, "reason": "InternalError", "message": "Internal error occurred: no such host", "code": 500}


def image(source="quay.io/acme/app:v1", to="latest", *, policy="Source", include=False, **importing):
    wanted = {
        "from": {"kind": "DockerImage", "name": source},
        "importPolicy": {"importMode": "Legacy", **importing},
        "referencePolicy": {"type": policy},
    }
    return wanted | ({"to": {"name": to}} if to else {}) | ({"includeManifest": True} if include else {})


def request(*images, repository=None, storing=True):
    spec = {"import": storing}
    if images:
        spec["images"] = list(images)
    if repository:
        spec["repository"] = image(repository, None)
    return {"metadata": {"name": "app", "namespace": "shop"}, "spec": spec}


def found(digest=AA, tag="v1", repository="quay.io/acme/app", members=()):
    one = {
        "metadata": {"name": digest},
        "dockerImageReference": f"{repository}@{digest}",
        "dockerImageManifest": "{}",
        "dockerImageConfig": "{}",
    }
    return FetchedImage(tag, one, tuple(found(member, "").image for member in members))


def failed(status=MISSING, tag="nope"):
    return FetchedImage(tag, failure=status)
