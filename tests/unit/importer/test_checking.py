import base64
import json
import threading

import pytest

from tests.unit.distribution.stub import API_VERSION, digest, errors
from tests.unit.importer.requests import EARLIER
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pacing
from webhook.errors import NotFound
from webhook.image import manifest as manifests
from webhook.importer import checking, failures
from webhook.importer.checking import Checker, Verdict
from webhook.importer.engine import Importer
from webhook.importer.results import CHECK_ANNOTATION

MANIFEST = "/v2/team/app/manifests/v1"


@pytest.fixture
def checker():
    return Checker(Importer(connect_timeout=1, read_timeout=1))


def isi(registry, *names, mode="Legacy"):
    policy = {"importMode": mode, "insecure": True, "scheduled": True}
    images = [
        {
            "from": {"kind": "DockerImage", "name": f"{registry.host}/{name}"},
            "to": {"name": name.partition(":")[2]},
            "importPolicy": policy,
        }
        for name in names
    ]
    return {"metadata": {"name": "app", "namespace": "shop"}, "spec": {"import": True, "images": images}}


def following(registry, tag="v1", image="", *, repository="team/app", failure=None, checked=True, generation=1):
    """A stream that has imported this image into the tag, or failed to."""
    item = {"created": EARLIER, "dockerImageReference": f"{registry.host}/{repository}@{image}", "image": image}
    entry = {"tag": tag, "items": [{**item, "generation": 1}] if image else None}
    if failure:
        condition = {"type": "ImportSuccess", "status": "False", "generation": 1, "lastTransitionTime": EARLIER}
        entry["conditions"] = [{**condition, "reason": failure["reason"], "message": failure["message"]}]
    source = {"kind": "DockerImage", "name": f"{registry.host}/{repository}:{tag}"}
    return {
        "metadata": {"name": "app", "annotations": {CHECK_ANNOTATION: EARLIER} if checked else {}},
        "spec": {"tags": [{"name": tag, "from": source, "generation": generation}]},
        "status": {"tags": [entry]},
    }


def missing(registry, name="team/app:v1"):
    error = NotFound.of("dockerimage", failures.GROUP, f"{registry.host}/{name}")
    return {"reason": error.reason, "message": error.message}


def asked(registry):
    return [(one["method"], one["path"]) for one in registry.requests if one["path"] != "/v2/"]


def test_a_tag_that_has_not_moved_costs_one_head(checker, registry):
    image = registry.put_image("team/app", "v1")
    assert checker.check(isi(registry, "team/app:v1"), following(registry, image=image), []) == {
        "v1": Verdict.UNCHANGED
    }
    assert asked(registry) == [("HEAD", MANIFEST)]


def test_looks_at_many_repositories_ping_their_registry_once(checker, registry):
    for number in range(5):
        image = registry.put_image(f"team/app{number}", "v1")
        stream = following(registry, image=image, repository=f"team/app{number}")
        assert checker.check(isi(registry, f"team/app{number}:v1"), stream, []) == {"v1": Verdict.UNCHANGED}
    assert len(registry.seen("/v2/")) == 1


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param({"image": "sha256:" + "bb" * 32}, id="the registry has another image"),
        pytest.param({"checked": False}, id="the stream was never checked"),
        pytest.param({"generation": 2}, id="an import was asked for"),
        pytest.param({"failure": {"reason": "NotFound", "message": "gone"}}, id="the last import failed"),
    ],
)
def test_an_import_that_would_write_something_is_needed(checker, registry, stream):
    image = registry.put_image("team/app", "v1")
    one = following(registry, **{"image": image, **stream})
    assert checker.check(isi(registry, "team/app:v1"), one, []) == {"v1": Verdict.CHANGED}


@pytest.mark.parametrize(
    "headers", [[("ETag", '"{}"')], [("ETag", 'W/"{}"')], [("Docker-Content-Digest", "{}")]], ids=str
)
def test_the_digest_may_be_told_as_etag(checker, registry, headers):
    image = registry.put_image("team/app", "v1")
    told = [(name, value.format(image)) for name, value in headers]
    registry.routes[MANIFEST] = (200, [("Content-Type", manifests.DOCKER_MANIFEST), *told], b"")
    assert checker.check(isi(registry, "team/app:v1"), following(registry, image=image), []) == {
        "v1": Verdict.UNCHANGED
    }


def test_a_registry_that_tells_no_digest_is_imported_from(checker, registry):
    registry.routes[MANIFEST] = (200, [("ETag", '"5f3c"')], b"")
    stream = following(registry, image="sha256:" + "aa" * 32)
    assert checker.check(isi(registry, "team/app:v1"), stream, []) == {"v1": Verdict.CHANGED}


def index(registry, *architectures):
    entries = [
        {
            "mediaType": manifests.DOCKER_MANIFEST,
            "size": 500,
            "digest": registry.put_image("team/app", f"{name}-only", architecture=name, text=name),
            "platform": {"architecture": name, "os": "linux"},
        }
        for name in architectures
    ]
    content = json.dumps({"schemaVersion": 2, "mediaType": manifests.DOCKER_LIST, "manifests": entries}).encode()
    return registry.put("team/app", "v1", content, manifests.DOCKER_LIST), [entry["digest"] for entry in entries]


def test_of_an_index_the_chosen_image_is_compared_and_the_index_read_once(registry):
    checker = Checker(Importer())
    whole, (_, chosen) = index(registry, "s390x", "amd64")
    for _ in range(2):
        checker._memory.looks.clear()
        verdicts = checker.check(isi(registry, "team/app:v1"), following(registry, image=chosen), [])
        assert verdicts == {"v1": Verdict.UNCHANGED}
    assert asked(registry) == [
        ("HEAD", MANIFEST),
        ("GET", f"/v2/team/app/manifests/{whole}"),
        ("HEAD", MANIFEST),
    ]


def test_an_index_that_is_preserved_is_compared_itself(checker, registry):
    whole, (child, _) = index(registry, "amd64", "arm64")
    request = isi(registry, "team/app:v1", mode="PreserveOriginal")
    assert checker.check(request, following(registry, image=whole), []) == {"v1": Verdict.UNCHANGED}
    assert checker.check(request, following(registry, image=child), []) == {"v1": Verdict.CHANGED}


def test_a_failure_that_is_known_already_needs_no_import(checker, registry):
    one = following(registry, failure=missing(registry))
    assert checker.check(isi(registry, "team/app:v1"), one, []) == {"v1": Verdict.FAILING}


def test_a_failure_that_is_news_is_for_the_import_to_record(checker, registry):
    one = following(registry, image="sha256:" + "aa" * 32)
    assert checker.check(isi(registry, "team/app:v1"), one, []) == {"v1": Verdict.CHANGED}


def test_streams_that_follow_the_same_tag_share_a_look(checker, registry):
    image = registry.put_image("team/app", "v1")
    for _ in range(3):
        checker.check(isi(registry, "team/app:v1"), following(registry, image=image), [])
        checker.check(isi(registry, "team/app:gone"), following(registry, "gone", failure=missing(registry)), [])
    assert len(asked(registry)) == 2


def test_a_look_is_not_shared_with_another_password(checker, registry):
    image = registry.put_image("team/app", "v1")
    content = {"auths": {registry.host: {"username": "reader", "password": "secret"}}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps(content).encode()).decode()}
    secret = {"type": "kubernetes.io/dockerconfigjson", "metadata": {"name": "pull"}, "data": data}
    for secrets in ([], [secret], [], [secret]):
        checker.check(isi(registry, "team/app:v1"), following(registry, image=image), secrets)
    assert len(asked(registry)) == 2


def test_a_registry_that_wants_to_be_left_alone_defers_the_look(checker, registry):
    registry.routes[MANIFEST] = (429, [("Retry-After", "600")], errors("TOOMANYREQUESTS"))
    one = following(registry, image=registry.put_image("team/other", "v1"))
    assert checker.check(isi(registry, "team/app:v1"), one, []) == {"v1": Verdict.DEFERRED}
    assert checker.check(isi(registry, "team/other:v1"), one, []) == {"v1": Verdict.DEFERRED}
    assert len(asked(registry)) == 1


def test_a_registry_without_an_answer_is_left_alone_for_a_while(checker, registry):
    gone = type("Gone", (), {"host": "127.0.0.1:1"})
    for number in range(5):
        checker.check(isi(gone, f"team/app{number}:v1"), following(gone, image=digest(b"x")), [])
    pace = checker._importer.shared.pacing.of(gone.host)
    assert pace.resting("")


def test_a_pull_secret_that_cannot_be_read_is_for_the_import_to_report(checker, registry):
    secret = {"type": "kubernetes.io/dockercfg", "metadata": {"name": "pull"}, "data": {".dockercfg": "%%"}}
    one = following(registry, image=registry.put_image("team/app", "v1"))
    assert checker.check(isi(registry, "team/app:v1"), one, [secret]) == {"v1": Verdict.CHANGED}


def test_a_session_that_the_registry_no_longer_understands_is_made_anew(checker, registry):
    image = registry.put_image("team/app", "v1")
    stream = following(registry, image=image)
    checker.check(isi(registry, "team/app:v1"), stream, [])
    content = registry.routes[MANIFEST]

    def with_token(request):
        return content if request.headers.get("Authorization") == "Bearer abc" else (401, [], b"")

    challenge = f'Bearer realm="{registry.url}/token",service="stub"'
    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", challenge)], b"")
    registry.routes["/token"] = (200, [], b'{"token": "abc"}')
    registry.routes[MANIFEST] = with_token
    checker._memory.looks.clear()
    assert checker.check(isi(registry, "team/app:v1"), stream, []) == {"v1": Verdict.UNCHANGED}


def test_looks_keep_to_the_budget_of_the_importer(registry):
    pacing = Pacing(lambda _host: Limits(requests_per_second=0.001))
    image = registry.put_image("team/app", "v1")
    checker = Checker(Importer(pacing=pacing))
    # The ping takes the whole budget.
    assert checker.check(isi(registry, "team/app:v1"), following(registry, image=image), []) == {"v1": Verdict.DEFERRED}


def test_a_registry_that_answers_byte_by_byte_keeps_no_thread(checker, registry, monkeypatch):
    monkeypatch.setattr(checking, "_LOOK_SECONDS", 0.5)

    def trickle(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not registry.let_go.wait(0.02):
            request.wfile.write(b"x")

    registry.routes[MANIFEST] = trickle
    before = set(threading.enumerate())
    assert checker.check(isi(registry, "team/app:v1"), following(registry), []) == {"v1": Verdict.CHANGED}
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("import-"):
            thread.join(5)
            assert not thread.is_alive()
