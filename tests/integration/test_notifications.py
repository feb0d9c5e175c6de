"""A real docker-registry tells a real server of pushes, and streams follow without a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from demo.registry_images import Registry, build
from tests.integration.api import STREAMS, Api, stream
from tests.integration.servers import DockerRegistry, Server, until

ON_PUSH = {"imagestreams/import-on-push": "true"}


class TellingRegistry(DockerRegistry):
    """A registry that tells `server` of pushes."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._server = server
        super().__init__(folder, {})

    def _configure(self, folder: Path, password: bool, certificate: Path | None) -> Path:
        path = super()._configure(folder, password, certificate)
        config = yaml.safe_load(path.read_text())
        token = (self._server.data / "notification-token").read_text().strip()
        endpoint = {
            "name": "imagestreams",
            "url": f"{self._server.url}/notifications",
            "headers": {"Authorization": [f"Bearer {token}"]},
            "timeout": "5s",
            "threshold": 5,
            "backoff": "100ms",
        }
        path.write_text(yaml.safe_dump({**config, "notifications": {"endpoints": [endpoint]}}))
        return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is told of pushes, with two workers and without any schedule of its own."""
    with Server(tmp_path_factory.mktemp("told") / "data", "--push-notifications", "--no-controllers") as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[Api]:
    with Api(server) as api:
        yield api


@pytest.fixture(scope="module")
def telling(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TellingRegistry]:
    with pytest.MonkeyPatch.context() as patch:
        # Go programs read their authorities from here.
        patch.setenv("SSL_CERT_FILE", str(server.data / "pki" / "ca.crt"))
        registry = TellingRegistry(tmp_path_factory.mktemp("telling"), server)
    yield registry
    registry.stop()


def follows(api: Api, namespace: str, registry: DockerRegistry, pushed: tuple[str, str, str], tag: str) -> bool:
    """Push (repository, tag, text), and say whether the stream's tag has that image.

    To be asked again: the worker that is told of a push may not have heard of the new stream yet.
    """
    repository, pushed_tag, text = pushed
    image = build(text)
    Registry(f"http://{registry.address}").push(repository, pushed_tag, image)
    return heads(api, namespace).get(tag) == image.digest


def spec_tag(name: str, source: str, **more) -> dict:
    policy = {"insecure": True, **more.pop("policy", {})}
    return {"name": name, "from": {"kind": "DockerImage", "name": source}, "importPolicy": policy, **more}


def heads(api: Api, namespace: str) -> dict[str, str]:
    """The image of each tag of the stream `app`."""
    status = api.get(f"{STREAMS.format(namespace)}/app").json.get("status") or {}
    return {one["tag"]: one["items"][0]["image"] for one in status.get("tags") or [] if one.get("items")}


def test_just_the_tags_that_follow_move_when_something_is_pushed(api, telling, namespace):
    address = telling.address
    tags = [
        spec_tag("annotated", f"{address}/team/app:1", annotations=ON_PUSH),
        spec_tag("scheduled", f"{address}/team/app:1", policy={"scheduled": True}),
        spec_tag("once", f"{address}/team/app:1"),
        spec_tag("other", f"{address}/team/app:2", annotations=ON_PUSH),
    ]
    assert api.post(STREAMS.format(namespace), stream("app", tags=tags)).code == 201
    for text in ("first", "second"):
        digest = build(text).digest
        both = {"annotated": digest, "scheduled": digest}
        until(
            lambda text=text: follows(api, namespace, telling, ("team/app", "1", text), "annotated"), f"the {text} push"
        )
        until(lambda both=both: heads(api, namespace) == both, "just the two tags")


def test_a_stream_takes_up_new_tags_of_its_repository(api, telling, namespace):
    body = stream("app")
    body["metadata"]["annotations"] = {**ON_PUSH, "openshift.io/image.insecureRepository": "true"}
    body["spec"]["dockerImageRepository"] = f"{telling.address}/team/whole"
    assert api.post(STREAMS.format(namespace), body).code == 201
    digests = {tag: build(tag).digest for tag in ("1.0", "1.1")}
    for tag in digests:
        until(lambda tag=tag: follows(api, namespace, telling, ("team/whole", tag, tag), tag), f"the new tag {tag}")
    assert heads(api, namespace) == digests


def test_nobody_without_the_token_may_tell(api, server):
    assert api.post("/notifications", {"events": []}).code == 401
    token = (server.data / "notification-token").read_text().strip()
    with Api(server, token=token) as allowed:
        until(lambda: allowed.post("/notifications", {"events": []}).code == 202, "the streams are read")
        assert allowed.get("/api").code == 401
