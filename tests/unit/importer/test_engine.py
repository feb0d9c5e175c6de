import base64
import json
import threading
import time

import pytest

from tests.unit.distribution.stub import API_VERSION, errors
from tests.unit.importer.requests import image, request
from webhook.distribution.access import Access
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pacing
from webhook.image import manifest as manifests
from webhook.importer.engine import Importer


@pytest.fixture
def importer():
    return Importer(max_bulk_import=3, total_timeout=5, connect_timeout=1, read_timeout=1)


def fetch(importer, *images, stream=None, secrets=(), **more):
    return importer.fetch(request(*images, **more), stream, list(secrets))


def at(registry, name, **more):
    return image(f"{registry.host}/{name}", **{"insecure": True, **more})


def put_list(registry, repository, tag, members):
    entries = [
        {
            "mediaType": manifests.DOCKER_MANIFEST,
            "size": 500,
            "digest": registry.put_image(
                repository, f"{architecture}-only", architecture=architecture, text=architecture
            ),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for architecture in members
    ]
    content = json.dumps({"schemaVersion": 2, "mediaType": manifests.DOCKER_LIST, "manifests": entries}).encode()
    return registry.put(repository, tag, content, manifests.DOCKER_LIST), [entry["digest"] for entry in entries]


def pull_secret(registry, password="secret", path=""):
    content = {"auths": {f"{registry.host}{path}": {"username": "reader", "password": password}}}
    data = base64.b64encode(json.dumps(content).encode()).decode()
    return {
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull"},
        "data": {".dockerconfigjson": data},
    }


def reasons(fetched):
    return [(one.failure or {}).get("reason") for one in fetched.images]


def messages(fetched):
    return [(one.failure or {}).get("message") for one in fetched.images]


def test_an_image_is_fetched_with_its_configuration(importer, registry):
    digest = registry.put_image("team/app", "v1")
    (one,) = fetch(importer, at(registry, "team/app:v1")).images
    assert one.tag == "v1"
    assert one.image["dockerImageReference"] == f"{registry.host}/team/app@{digest}"
    assert one.image["dockerImageMetadata"]["Author"] == "php 8.2"


def test_each_image_fails_by_itself(importer, registry):
    registry.put_image("team/app", "v1")
    fetched = fetch(importer, at(registry, "team/app:nope"), at(registry, "team/app:v1"), image("127.0.0.1:1/a/b:c"))
    assert reasons(fetched) == ["NotFound", None, "InternalError"]


def test_the_same_image_is_fetched_once_for_two_targets(importer, registry):
    registry.put_image("team/app", "v1")
    fetched = fetch(importer, at(registry, "team/app:v1", to="a"), at(registry, "team/app:v1", to="b"))
    assert fetched.images[0].image == fetched.images[1].image
    assert len(registry.seen("/v2/team/app/manifests/v1")) == 1


def test_a_list_is_replaced_by_the_image_of_the_preferred_platform(importer, registry):
    _, (_, arm, _) = put_list(registry, "team/multi", "latest", ["amd64", "arm64", "s390x"])
    annotations = {"importer.image.openshift.io/prefer-arch": "arm64"}
    stream = {"spec": {"tags": [{"name": "z", "annotations": annotations}]}}
    (one,) = fetch(importer, at(registry, "team/multi:latest", to="z"), stream=stream).images
    assert (one.image["metadata"]["name"], one.manifests) == (arm, ())


def test_a_list_that_is_preserved_brings_all_its_images(importer, registry):
    digest, members = put_list(registry, "team/multi", "latest", ["amd64", "arm64"])
    (one,) = fetch(importer, at(registry, "team/multi:latest", importMode="PreserveOriginal")).images
    assert one.image["metadata"]["name"] == digest
    assert [member["metadata"]["name"] for member in one.manifests] == members
    assert one.manifests[0]["dockerImageReference"] == f"{registry.host}/team/multi@{members[0]}"


def test_a_member_that_fails_fails_the_list(importer, registry):
    _, (_, arm) = put_list(registry, "team/multi", "latest", ["amd64", "arm64"])
    del registry.routes[f"/v2/team/multi/manifests/{arm}"]
    (one,) = fetch(importer, at(registry, "team/multi:latest", importMode="PreserveOriginal")).images
    assert (one.failure["reason"], one.failure["details"]["name"]) == ("NotFound", f"{registry.host}/team/multi@{arm}")


def test_a_list_inside_a_preserved_list_is_its_image_under_the_digest_of_the_list(importer, registry):
    inner, members = put_list(registry, "team/multi", "inner", ["amd64", "arm64"])
    entry = {"mediaType": manifests.DOCKER_LIST, "size": 5, "digest": inner, "platform": {"architecture": "amd64"}}
    content = json.dumps({"schemaVersion": 2, "mediaType": manifests.OCI_INDEX, "manifests": [entry]}).encode()
    registry.put("team/multi", "outer", content, manifests.OCI_INDEX)
    (one,) = fetch(importer, at(registry, "team/multi:outer", importMode="PreserveOriginal")).images
    (member,) = one.manifests
    assert (member["metadata"]["name"], member["dockerImageReference"]) == (
        members[0],
        f"{registry.host}/team/multi@{inner}",
    )


def test_a_list_inside_a_list_is_refused(importer, registry):
    inner, _ = put_list(registry, "team/multi", "inner", ["amd64"])
    entry = {
        "mediaType": manifests.DOCKER_LIST,
        "size": 9,
        "digest": inner,
        "platform": {"architecture": "amd64", "os": "linux"},
    }
    content = json.dumps({"schemaVersion": 2, "mediaType": manifests.DOCKER_LIST, "manifests": [entry]}).encode()
    registry.put("team/multi", "outer", content, manifests.DOCKER_LIST)
    assert "a list inside a list" in messages(fetch(importer, at(registry, "team/multi:outer")))[0]


# Registries that misbehave.


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((200, [("Content-Type", "text/html")], b"<html>welcome</html>"), "a web page"),
        ((200, [("Content-Type", manifests.OCI_MANIFEST)], b"<html>"), "the manifest is no JSON"),
        ((200, [("Docker-Content-Digest", "sha256:" + "ee" * 32)], b"{}"), "content integrity error"),
        ((200, [("Content-Type", manifests.OCI_MANIFEST)], b"[" * 40_000), "the manifest is no JSON"),
        ((500, [], b""), "received unexpected HTTP status: 500"),
    ],
)
def test_a_registry_that_answers_nonsense_fails_its_image_with_a_clear_message(importer, registry, answer, text):
    registry.routes["/v2/team/app/manifests/v1"] = answer
    fetched = fetch(importer, at(registry, "team/app:v1"))
    assert reasons(fetched) == ["InternalError"]
    assert messages(fetched)[0].startswith(f"Internal error occurred: {registry.host}/team/app:v1: ")
    assert text in messages(fetched)[0]


def test_a_configuration_that_does_not_have_its_digest_fails_the_image(importer, registry):
    registry.put_image("team/app", "v1")
    blob = next(path for path in registry.routes if "/blobs/" in path)
    registry.routes[blob] = (200, [], b'{"author": "somebody else"}')
    assert "content integrity error" in messages(fetch(importer, at(registry, "team/app:v1")))[0]


def test_a_registry_that_hangs_does_not_hold_up_the_others(registry, elsewhere):
    registry.routes["/v2/"] = lambda _request: registry.let_go.wait(30) and None
    elsewhere.put_image("team/app", "v1")
    importer = Importer(total_timeout=1.5, connect_timeout=1, read_timeout=30)
    begun = time.monotonic()
    fetched = fetch(importer, at(registry, "team/app:v1"), at(elsewhere, "team/app:v1"))
    assert time.monotonic() - begun < 4
    assert reasons(fetched) == ["InternalError", None]
    assert "in time" in messages(fetched)[0]


def test_a_whole_repository_of_hanging_images_ends_in_time(registry):
    registry.routes["/v2/team/app/tags/list"] = (200, [], json.dumps({"tags": [f"v{n}" for n in range(40)]}).encode())
    for number in range(40):
        registry.routes[f"/v2/team/app/manifests/v{number}"] = lambda _request: registry.let_go.wait(30) and None
    importer = Importer(total_timeout=1.5, connect_timeout=1, read_timeout=30)
    isi = request(repository=f"{registry.host}/team/app")
    isi["spec"]["repository"]["importPolicy"]["insecure"] = True
    begun = time.monotonic()
    fetched = importer.fetch(isi, None, [])
    assert time.monotonic() - begun < 4
    assert len(fetched.repository.images) == 40
    assert all("in time" in one.failure["message"] for one in fetched.repository.images)


# Pull secrets.


def basic(registry):
    registry.put_image("team/app", "v1")
    guarded = registry.routes["/v2/team/app/manifests/v1"]
    wanted = f"Basic {base64.b64encode(b'reader:secret').decode()}"
    refused = (401, [], errors("UNAUTHORIZED"))
    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", 'Basic realm="x"')], b"")
    registry.routes["/v2/team/app/manifests/v1"] = lambda request: (
        guarded if request.headers.get("Authorization") == wanted else refused
    )


@pytest.mark.parametrize(
    ("passwords", "reason"), [([], "Unauthorized"), (["wrong"], "Unauthorized"), (["secret"], None)]
)
def test_the_pull_secrets_of_the_namespace_are_used(importer, registry, passwords, reason):
    basic(registry)
    secrets = [pull_secret(registry, password) for password in passwords]
    assert reasons(fetch(importer, at(registry, "team/app:v1"), secrets=secrets)) == [reason]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/team/app:v1", None), ("/team/app:v", None), ("/team/app:latest", "Unauthorized")],
    ids=["its tag", "the beginning of its tag", "another tag"],
)
def test_a_pull_secret_may_be_for_a_tag(importer, registry, path, reason):
    basic(registry)
    assert reasons(fetch(importer, at(registry, "team/app:v1"), secrets=[pull_secret(registry, path=path)])) == [reason]


def test_a_corrupt_secret_fails_images_of_open_registries_too(importer, registry):
    registry.put_image("team/app", "v1")
    broken = {**pull_secret(registry), "data": {".dockerconfigjson": base64.b64encode(b"hunter2").decode()}}
    fetched = fetch(importer, at(registry, "team/app:v1"), repository=f"{registry.host}/team/app", secrets=[broken])
    assert reasons(fetched) == ["InternalError"]
    assert fetched.repository.failure["reason"] == "InternalError"
    assert "hunter2" not in str(fetched)
    assert registry.requests == []


def tokens(registry, anonymous):
    """The token service knows nobody, and gives `anonymous` callers what they may have."""

    def token(request):
        if "Authorization" in request.headers:
            return 401, [], b'{"details": "incorrect username or password"}'
        return anonymous

    registry.put_image("team/app", "v1")
    open_image = registry.routes["/v2/team/app/manifests/v1"]
    challenge = f'Bearer realm="{registry.url}/token",service="stub"'
    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", challenge)], b"")
    registry.routes["/v2/team/app/manifests/v1"] = lambda request: (
        open_image if request.headers.get("Authorization") == "Bearer open" else (401, [], errors("UNAUTHORIZED"))
    )
    registry.routes["/token"] = token


def test_an_outdated_password_does_not_keep_anybody_from_a_public_image(importer, registry):
    tokens(registry, (200, [], b'{"token": "open"}'))
    assert reasons(fetch(importer, at(registry, "team/app:v1"), secrets=[pull_secret(registry)])) == [None]


def test_of_two_refusals_the_first_is_told(importer, registry):
    tokens(registry, (200, [], b'{"token": "for something else"}'))
    fetched = fetch(importer, at(registry, "team/app:v1"), secrets=[pull_secret(registry)])
    assert messages(fetched) == [f'incorrect username or password for image "{registry.host}/team/app:v1"']


def test_the_retry_without_secrets_keeps_what_the_first_round_brought(importer, registry, elsewhere):
    tokens(registry, (200, [], b'{"token": "open"}'))
    basic(elsewhere)
    secrets = [pull_secret(registry, "outdated"), pull_secret(elsewhere)]
    fetched = fetch(importer, at(registry, "team/app:v1"), at(elsewhere, "team/app:v1"), secrets=secrets)
    assert reasons(fetched) == [None, None]
    assert len(elsewhere.seen("/v2/team/app/manifests/v1")) == 1


def test_the_retry_without_secrets_keeps_the_repository_that_it_may_not_list(importer, registry, elsewhere):
    tokens(registry, (200, [], b'{"token": "open"}'))
    basic(elsewhere)
    elsewhere.routes["/v2/team/app/tags/list"] = lambda request: (
        (200, [], b'{"tags": ["v1"]}') if "Authorization" in request.headers else (401, [], errors("UNAUTHORIZED"))
    )
    isi = request(at(registry, "team/app:v1"), repository=f"{elsewhere.host}/team/app")
    isi["spec"]["repository"]["importPolicy"]["insecure"] = True
    fetched = importer.fetch(isi, None, [pull_secret(registry, "outdated"), pull_secret(elsewhere)])
    assert reasons(fetched) == [None]
    assert [one.failure for one in fetched.repository.images] == [None]


# What the administrator says.


@pytest.fixture
def ruled(tmp_path):
    """An importer with a file of registries and, if given, credentials of the server's own."""

    def make(text, credentials=None):
        (tmp_path / "registries.yaml").write_text(text)
        if credentials is not None:
            (tmp_path / "config.json").write_text(json.dumps({"auths": credentials}))
        path = tmp_path / "config.json" if credentials is not None else None
        access = Access(registries=tmp_path / "registries.yaml", credentials=path, environ={})
        return Importer(total_timeout=5, connect_timeout=1, read_timeout=1, access=access)

    return make


def mirrored(source, *mirrors, kind="imageTagMirrors"):
    return json.dumps({kind: [{"source": source, "mirrors": mirrors}]})


def test_an_image_of_a_mirror_has_the_name_that_the_user_wrote(ruled, registry):
    digest = registry.put_image("cache/app", "v1")
    importer = ruled(mirrored("quay.io/team", f"{registry.host}/cache"))
    (one,) = fetch(importer, image("quay.io/team/app:v1", insecure=True)).images
    assert one.image["dockerImageReference"] == f"quay.io/team/app@{digest}"
    assert registry.host not in json.dumps(one.image)


def test_where_a_mirror_fails_the_next_and_then_the_source_is_read(ruled, registry, elsewhere):
    registry.put_image("team/app", "v1")
    importer = ruled(mirrored(registry.host, f"{elsewhere.host}/empty", "127.0.0.1:1/down"))
    assert reasons(fetch(importer, at(registry, "team/app:v1"))) == [None]
    assert elsewhere.seen("/v2/empty/team/app/manifests/v1")


def test_mirrors_for_tags_are_not_asked_for_digests(ruled, registry, elsewhere):
    digest = registry.put_image("team/app", "v1")
    importer = ruled(mirrored(registry.host, elsewhere.host))
    assert reasons(fetch(importer, at(registry, f"team/app@{digest}"))) == [None]
    assert elsewhere.requests == []


def test_mirrors_for_digests_are(ruled, registry, elsewhere):
    digest = elsewhere.put_image("team/app", "v1")
    importer = ruled(mirrored(registry.host, elsewhere.host, kind="imageDigestMirrors"))
    assert reasons(fetch(importer, at(registry, f"team/app@{digest}"))) == [None]
    assert registry.requests == []


def test_where_all_fail_each_says_why(ruled, registry, elsewhere):
    importer = ruled(mirrored(registry.host, elsewhere.host))
    fetched = fetch(importer, at(registry, "team/app:nope"))
    assert reasons(fetched) == ["InternalError"]
    hosts = (elsewhere.host, registry.host)
    texts = ", ".join(f"{host}/team/app:nope: manifest unknown" for host in hosts)
    assert messages(fetched) == [f"Internal error occurred: [{texts}]"]


def test_a_mirror_has_credentials_of_its_own(ruled, registry, elsewhere):
    basic(elsewhere)
    importer = ruled(mirrored(registry.host, elsewhere.host))
    secrets = [pull_secret(elsewhere), pull_secret(registry, "for the source")]
    assert reasons(fetch(importer, at(registry, "team/app:v1"), secrets=secrets)) == [None]


def test_the_tags_of_a_repository_are_listed_at_the_source_and_read_from_the_mirror(ruled, registry, elsewhere):
    registry.routes["/v2/team/app/tags/list"] = (200, [], b'{"tags": ["v1"]}')
    elsewhere.put_image("team/app", "v1")
    importer = ruled(mirrored(registry.host, elsewhere.host))
    found = importer.fetch(whole(registry), None, []).repository
    assert [one.failure for one in found.images] == [None]
    assert not elsewhere.seen("/v2/team/app/tags/list")


def test_a_blocked_registry_is_not_asked(ruled, registry):
    importer = ruled(json.dumps({"blockedRegistries": [registry.host]}))
    fetched = fetch(importer, at(registry, "team/app:v1"), repository=f"{registry.host}/team/app")
    for failure in (fetched.images[0].failure, fetched.repository.failure):
        assert (failure["code"], failure["reason"]) == (403, "Forbidden")
        assert failure["message"] == f"forbidden: registry {registry.host} blocked"
    assert registry.requests == []


def test_a_registry_can_be_insecure_for_everybody(ruled, registry):
    registry.put_image("team/app", "v1")
    importer = ruled(json.dumps({"insecureRegistries": [registry.host]}))
    assert reasons(fetch(importer, image(f"{registry.host}/team/app:v1"))) == [None]


@pytest.mark.parametrize(
    ("own", "of_namespace", "reason"),
    [
        pytest.param("secret", None, None, id="where the namespace has none"),
        pytest.param("wrong", "secret", None, id="after those of the namespace"),
        pytest.param("secret", "wrong", "Unauthorized", id="without a second try"),
    ],
)
def test_the_servers_own_credentials_are_used(ruled, registry, own, of_namespace, reason):
    basic(registry)
    importer = ruled("", {registry.host: {"username": "reader", "password": own}})
    secrets = [pull_secret(registry, of_namespace)] if of_namespace else []
    assert reasons(fetch(importer, at(registry, "team/app:v1"), secrets=secrets)) == [reason]


# Repositories.


def tagged(registry, *tags):
    for tag in tags:
        registry.put_image("team/app", tag, text=tag)
    registry.routes["/v2/team/app/tags/list"] = (200, [], json.dumps({"tags": list(tags)}).encode())


def whole(registry, *images):
    isi = request(*images, repository=f"{registry.host}/team/app")
    isi["spec"]["repository"]["importPolicy"]["insecure"] = True
    return isi


def test_a_registry_alone_is_no_repository(importer):
    isi = request(repository="my.registry")
    failure = importer.fetch(isi, None, []).repository.failure
    assert (failure["code"], failure["reason"], failure["details"]["name"]) == (422, "Invalid", "repository")
    assert [one["field"] for one in failure["details"]["causes"]] == ["from.name"]


def test_the_first_tags_of_a_repository_are_fetched_and_the_others_named(importer, registry):
    tagged(registry, "other", "1.0", "latest", "1.0.1", "2.0")
    found = importer.fetch(whole(registry), None, []).repository
    assert [one.tag for one in found.images] == ["latest", "2.0", "1.0"]
    assert found.additional_tags == ("1.0.1", "other")


def test_a_tag_beyond_the_limit_that_is_asked_for_by_name_is_not_additional(importer, registry):
    tagged(registry, "a", "b", "c", "d", "e")
    fetched = importer.fetch(whole(registry, at(registry, "team/app:e", to="mine")), None, [])
    assert [one.tag for one in fetched.repository.images] == ["a", "b", "c", "e"]
    assert fetched.repository.additional_tags == ("d",)
    assert len(registry.seen("/v2/team/app/manifests/e")) == 1


def test_the_members_of_a_list_beyond_the_limit_stand_at_the_entry_that_asked_for_it(importer, registry):
    tagged(registry, "a", "b", "c", "d")
    put_list(registry, "team/app", "d", ["amd64", "arm64"])
    isi = whole(registry, at(registry, "team/app:d", importMode="PreserveOriginal"))
    isi["spec"]["repository"]["importPolicy"]["importMode"] = "PreserveOriginal"
    fetched = importer.fetch(isi, None, [])
    assert (len(fetched.images[0].manifests), fetched.repository.images[-1].manifests) == (2, ())
    assert fetched.repository.images[-1].image == fetched.images[0].image


def test_without_a_limit_all_tags_are_fetched(registry):
    tagged(registry, "a", "b", "c", "d", "e")
    found = Importer(max_bulk_import=-1).fetch(whole(registry), None, []).repository
    assert (len(found.images), found.additional_tags) == (5, ())


def test_a_tag_beyond_the_limit_whose_image_failed_stays_additional(importer, registry):
    names = ["latest", "3.0", "2.0", "1.0"]
    for name in names[:3]:
        registry.put_image("team/app", name)
    registry.routes["/v2/team/app/tags/list"] = (200, [], json.dumps({"tags": names}).encode())
    isi = request(at(registry, "team/app:1.0"), repository=f"{registry.host}/team/app")
    isi["spec"]["repository"]["importPolicy"]["insecure"] = True
    found = importer.fetch(isi, None, []).repository
    assert ([one.tag for one in found.images], found.additional_tags) == (names[:3], ("1.0",))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, [], errors("NAME_UNKNOWN")), "NotFound"),
        ((401, [], errors("UNAUTHORIZED")), "Unauthorized"),
        ((200, [], b"<html>"), "InternalError"),
    ],
)
def test_a_repository_that_cannot_be_listed_says_why(importer, registry, answer, reason):
    registry.routes["/v2/team/app/tags/list"] = answer
    found = importer.fetch(whole(registry), None, []).repository
    assert (found.failure["reason"], found.images) == (reason, ())


def test_other_authorities_can_be_trusted(secure, authority, tmp_path):
    secure.put_image("team/app", "v1")
    authority.cert_pem.write_to_path(str(tmp_path / "registry-ca.pem"))
    for trusted in (tmp_path, tmp_path / "registry-ca.pem"):
        assert reasons(fetch(Importer(access=Access(authorities=trusted)), image(f"{secure.host}/team/app:v1"))) == [
            None
        ]
    assert "failed to verify certificate" in messages(fetch(Importer(), image(f"{secure.host}/team/app:v1")))[0]


def put_schema1(registry, repository, tag, *sizes):
    """Layers of one byte more each; `sizes` is what the history says of them, newest first."""
    layers = [registry.put_blob(repository, b"x" * (1 + number)) for number in range(len(sizes))]
    history = [{"v1Compatibility": json.dumps({"id": "aa", **({"Size": size} if size else {})})} for size in sizes]
    manifest = {"schemaVersion": 1, "fsLayers": [{"blobSum": layer} for layer in layers], "history": history}
    registry.put(repository, tag, json.dumps(manifest).encode(), manifests.DOCKER_SCHEMA1)


@pytest.mark.parametrize(
    ("told", "sizes"),
    [
        pytest.param((0, 0, 0), [3, 2, 1], id="of the registry, where the history says nothing"),
        pytest.param((7, 0, 0), [0, 0, 7], id="of the history, where it says something"),
    ],
)
def test_the_sizes_of_old_layers_are_those(importer, registry, told, sizes):
    put_schema1(registry, "team/app", "v1", *told)
    (one,) = fetch(importer, at(registry, "team/app:v1")).images
    assert [layer["size"] for layer in one.image["dockerImageLayers"]] == sizes
    assert one.image["dockerImageMetadata"]["Size"] == sum(sizes)
    methods = {request["method"] for request in registry.requests if "/blobs/" in request["path"]}
    assert methods == (set() if told[0] else {"HEAD"})


def test_an_old_layer_that_is_gone_fails_its_image(importer, registry):
    put_schema1(registry, "team/app", "v1", 0)
    for path in [path for path in registry.routes if "/blobs/" in path]:
        del registry.routes[path]
    (one,) = fetch(importer, at(registry, "team/app:v1")).images
    assert one.failure["reason"] == "InternalError"


# Budgets.


def test_an_import_beyond_the_budget_ends_in_time_and_says_why(registry):
    for number in range(3):
        registry.put_image(f"team/app{number}", "v1")
    importer = Importer(total_timeout=1.5, pacing=Pacing(lambda _host: Limits(requests_per_second=3)))
    begun = time.monotonic()
    fetched = fetch(importer, *(at(registry, f"team/app{number}:v1", to=f"v{number}") for number in range(3)))
    assert time.monotonic() - begun < 5
    assert any("the budget of requests to the registry is used up" in (message or "") for message in messages(fetched))


def test_what_an_import_asks_of_one_registry_at_once_is_bounded(registry):
    inside, most, lock = 0, [], threading.Lock()

    def slow(request):
        nonlocal inside
        with lock:
            inside += 1
            most.append(inside)
        registry.let_go.wait(0.02)
        with lock:
            inside -= 1
        return 404, [], errors("MANIFEST_UNKNOWN")

    for number in range(12):
        registry.routes[f"/v2/team/app/manifests/v{number}"] = slow
    importer = Importer(pacing=Pacing(lambda _host: Limits(requests_per_second=1000, concurrency=2)))
    fetch(importer, *(at(registry, f"team/app:v{number}", to=f"v{number}") for number in range(12)))
    assert max(most) == 2


@pytest.mark.parametrize(
    ("storing", "include", "kept"),
    [
        pytest.param(True, False, False, id="an import that only stores does not hold them until it is written"),
        pytest.param(True, True, True, id="an import whose answer may have them keeps them"),
        pytest.param(False, False, True, id="a preview answers those of a list's members in any case"),
    ],
)
def test_raw_manifests_are_held_only_where_the_answer_may_have_them(importer, registry, storing, include, kept):
    registry.put_image("team/app", "v1")
    (one,) = fetch(importer, at(registry, "team/app:v1", include=include), storing=storing).images
    assert ("dockerImageManifest" in one.image) is kept
