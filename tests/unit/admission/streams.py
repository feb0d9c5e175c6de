"""Image streams that the admission tests look names up in."""

from webhook.view.index import View

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
V1 = "sha256:78fe3440c9a40eb6f394e35f4e183a83653d730c570ed754ab0885b7a6440030"
V2 = "sha256:b995177162786960b6b3e5d8b7348404d32f2e9d5f95fd7e8a8db494297c2b63"


def event(reference, image, generation=1):
    return {
        "created": "2026-11-20T10:00:00Z",
        "dockerImageReference": reference,
        "image": image,
        "generation": generation,
    }


def stream(namespace, name, *, local=False, repository=None, policies=None, failures=None, version="10", **events):
    """A stream as the API serves it; `events` maps a tag to its newest event, `policies` a tag to Local or Source.

    Tag names that are no identifiers go into `events` through `**{...}`.
    """
    policies, failures = policies or {}, failures or {}
    spec_tags = [
        {"name": tag, "referencePolicy": {"type": policies.get(tag, "Source")}} for tag in [*events, *failures]
    ]
    status_tags = [{"tag": tag, "items": [item]} for tag, item in events.items()]
    status_tags += [
        {"tag": tag, "items": None, "conditions": [{"type": "ImportSuccess", "status": "False", "message": message}]}
        for tag, message in failures.items()
    ]
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"namespace": namespace, "name": name, "resourceVersion": version},
        "spec": {"lookupPolicy": {"local": local}, "tags": spec_tags},
        "status": {
            "dockerImageRepository": f"{INTEGRATED}/{namespace}/{name}" if repository is None else repository,
            "tags": status_tags,
        },
    }


SHOP = [
    stream(
        "shop",
        "app",
        local=True,
        policies={"pinned": "Local"},
        failures={"gone": 'dockerimage.image.openshift.io "quay.io/team/app:gone" not found'},
        v1=event(f"quay.io/team/app@{V1}", V1),
        v2=event("quay.io/team/app:v2", V2),
        pinned=event("quay.io/team/app:v1", V1),
        pointer=event("quay.io/team/app:v1", ""),
        bare=event("team/app:build-8", V1),
        broken=event("https://quay.io/team/app", V1),
    ),
    stream(
        "shop", "php", local=True, latest=event("docker.io/library/php:latest", V1), **{"8.2": event("php:8.2", V2)}
    ),
    stream("shop", "closed", v1=event("quay.io/team/closed:v1", V1)),
    stream("shop", "homeless", local=True, repository="", v1=event("quay.io/team/homeless:v1", V1)),
    stream("shop", "my.app", local=True, v1=event("quay.io/team/my.app:v1", V1)),
    stream("other", "tools", local=True, v1=event("quay.io/team/tools:v1", V1)),
]


def view():
    return View.from_objects(SHOP)
