"""Streams and manifests as people write them."""

from __future__ import annotations

DIGEST = "sha256:" + "4b" * 32
PHP = f"quay.io/library/php@{DIGEST}"
REGISTRY = "registry.example:5000"


def stream(name="php", namespace="demo", *, local=True, repository="", tags=("8.2",)):
    items = [{"created": "2024-01-01T00:00:00Z", "dockerImageReference": f"quay.io/library/{name}:x", "image": DIGEST}]
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "spec": {"lookupPolicy": {"local": local}},
        "status": {"dockerImageRepository": repository, "tags": [{"tag": tag, "items": items} for tag in tags]},
    }


def a_list(*streams):
    return {"apiVersion": "v1", "kind": "List", "items": list(streams)}


def put(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def pod(image, namespace=""):
    metadata = f"{{name: p, namespace: {namespace}}}" if namespace else "{name: p}"
    return f"apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec:\n  containers:\n  - name: a\n    image: {image}\n"
