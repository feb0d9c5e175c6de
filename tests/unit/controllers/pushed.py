"""Streams that follow pushes, and the push that they follow."""

from __future__ import annotations

from webhook.distribution.notifications import Push

HOST = "registry.example.com"
PUSH = Push(HOST, "team/app", "1.2")
ON_PUSH = {"imagestreams/import-on-push": "true"}
KEY = ("shop", "app")


def tag(name="live", source=f"{HOST}/team/app:1.2", kind="DockerImage", *, scheduled=True, **more):
    policy = {"importPolicy": {"scheduled": True}} if scheduled else {}
    return {"name": name, "from": {"kind": kind, "name": source}, **policy, **more}


def stream(*tags, name="app", repository="", **annotations):
    meta = {"name": name, "namespace": "shop", "resourceVersion": "7", "annotations": annotations}
    return {"metadata": meta, "spec": {"tags": list(tags), "dockerImageRepository": repository}}
