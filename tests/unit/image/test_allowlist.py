import pytest

from webhook.image.allowlist import AllowedRegistry, AllowList, import_findings, stream_findings
from webhook.image.reference import parse

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
DIGEST = "sha256:2bc0b6b4e33497a0f41c5936906f3527d21b0ba10d411fcca1f420d48da9e06d"


def allowing(*names, insecure=False):
    return AllowList([AllowedRegistry(name, insecure) for name in names], INTEGRATED)


@pytest.mark.parametrize(
    ("allowed", "image", "insecure"),
    [
        pytest.param([], "quay.io/acme/app:1", False, id="an empty list allows all"),
        pytest.param(["quay.io"], "quay.io/acme/app:1", False, id="the host, and port 443"),
        pytest.param(["quay.io:443"], "quay.io/acme/app:1", False, id="port 443 spelled out"),
        pytest.param(["quay.io:80"], "quay.io/acme/app:1", True, id="port 80 for an insecure image"),
        pytest.param(["quay.io:*"], "quay.io:8443/acme/app:1", False, id="any port"),
        pytest.param(["*.example.com"], "eu.registry.example.com/app", False, id="a star for labels"),
        pytest.param(["registry?.example.com"], "registry1.example.com/app", False, id="a question mark for a letter"),
        pytest.param(["10.0.0.1:5000"], "10.0.0.1:5000/app", True, id="a port that the image names"),
        pytest.param(["docker.io"], "busybox", False, id="Docker Hub where no registry is named"),
        pytest.param(["docker.io"], "docker.io/library/php:8.2", False, id="Docker Hub by name"),
        pytest.param(["docker.io"], "index.docker.io/library/php:8.2", False, id="Docker Hub by its old name"),
        pytest.param(["registry-1.docker.io"], "docker.io/php", False, id="the host of Docker Hub's API"),
        pytest.param(["quay.io"], f"{INTEGRATED}/shop/app", False, id="the integrated registry always"),
    ],
)
def test_allowed_registries(allowed, image, insecure):
    assert allowing(*allowed).refusal(parse(image), insecure=insecure) == ""


@pytest.mark.parametrize(
    ("allowed", "image", "insecure", "registry"),
    [
        pytest.param(["quay.io"], "ghcr.io/acme/app", False, "ghcr.io:443", id="another host"),
        pytest.param(["quay.io"], "quay.io:8443/acme/app", False, "quay.io:8443", id="another port"),
        pytest.param(["quay.io"], "quay.io/acme/app", True, "quay.io:80", id="port 80 needs its own entry"),
        pytest.param(["quay.io"], "php:8.2", False, "docker.io:443", id="Docker Hub where no registry is named"),
        pytest.param(["quay.io"], "docker.io/php", False, "registry-1.docker.io:443", id="Docker Hub by name"),
        pytest.param(["[a-z].io"], "a.io/app", False, "a.io:443", id="a bracket means nothing"),
    ],
)
def test_other_registries_are_refused_by_host_and_port(allowed, image, insecure, registry):
    refusal = allowing(*allowed).refusal(parse(image), insecure=insecure)
    assert refusal.startswith(f'registry "{registry}" not allowed by whitelist: ')


@pytest.mark.parametrize(
    ("allowed", "shown"),
    [
        pytest.param(["a.io", "b.io:5000"], '"a.io:443", "b.io:5000"', id="two"),
        pytest.param(
            [f"{x}.io" for x in "abcde"], '"a.io:443", "b.io:443", "c.io:443", "d.io:443", "e.io:443"', id="five"
        ),
        pytest.param(
            [f"{x}.io" for x in "abcdef"],
            '"a.io:443", "b.io:443", "c.io:443", "d.io:443", and 2 more ...',
            id="of more than five, the first four",
        ),
    ],
)
def test_the_refusal_lists_what_is_allowed(allowed, shown):
    refusal = allowing(*allowed).refusal(parse("quay.io/acme/app"), insecure=False)
    assert refusal == f'registry "quay.io:443" not allowed by whitelist: {shown}'


def test_an_insecure_entry_without_a_port_means_port_80():
    assert not allowing("quay.io", insecure=True).refusal(parse("quay.io/acme/app"), insecure=True)


def source(name, **policy):
    return {"from": {"kind": "DockerImage", "name": name}, "importPolicy": policy}


def test_an_import_names_each_source_that_is_not_allowed():
    spec = {"images": [source("quay.io/a/b:1"), source("ghcr.io/a/b:1"), source("*")], "repository": source("php")}
    where = 'not allowed by whitelist: "quay.io:443"'
    assert [(one.field, one.reason, one.message) for one in import_findings({"spec": spec}, allowing("quay.io"))] == [
        (
            "spec.images[1].from.name",
            "FieldValueForbidden",
            'Forbidden: importing images from registry "ghcr.io:443" is forbidden: registry "ghcr.io:443" ' + where,
        ),
        (
            "spec.repository.from.name",
            "FieldValueForbidden",
            'Forbidden: importing images from registry "docker.io:443" is forbidden: registry "docker.io:443" ' + where,
        ),
    ]


def stream(*tags, repository="", status=(), **annotations):
    return {
        "metadata": {"name": "app", "annotations": annotations},
        "spec": {"dockerImageRepository": repository, "tags": list(tags)},
        "status": {"tags": [{"tag": tag, "items": [{"dockerImageReference": text}]} for tag, text in status]},
    }


def tag(name, image, kind="DockerImage", **policy):
    return {"name": name, "from": {"kind": kind, "name": image}, "importPolicy": policy}


def fields(obj, old=None, *, allowed=("quay.io",)):
    return [one.field for one in stream_findings(obj, old, allowing(*allowed))]


@pytest.mark.parametrize(
    ("obj", "wanted"),
    [
        pytest.param(stream(tag("v1", "quay.io/a/b:1")), [], id="an allowed tag"),
        pytest.param(stream(tag("v1", "ghcr.io/a/b:1")), ["spec.tags[v1].from.name"], id="another tag"),
        pytest.param(stream(tag("v1", "other:v1", "ImageStreamTag")), [], id="a tag of a stream"),
        pytest.param(stream(repository="ghcr.io/a/b"), ["spec.dockerImageRepository"], id="a repository"),
        pytest.param(
            stream(status=[("v1", f"ghcr.io/a/b@{DIGEST}")]),
            ["status.tags[v1].items[0].dockerImageReference"],
            id="a history",
        ),
        pytest.param(stream(tag("v1", "ghcr.io/a/B")), [], id="what validation refuses anyway"),
    ],
)
def test_references_of_a_stream(obj, wanted):
    assert fields(obj) == wanted


@pytest.mark.parametrize(
    ("allowed", "obj", "wanted"),
    [
        pytest.param(["q.io:80"], stream(tag("v1", "q.io/a/b", insecure=True)), [], id="80 where the tag is insecure"),
        pytest.param(["q.io"], stream(tag("v1", "q.io/a/b", insecure=True)), [], id="or 443"),
        pytest.param(["q.io:80"], stream(tag("v1", "q.io/a/b")), ["spec.tags[v1].from.name"], id="a secure tag is 443"),
        pytest.param(
            ["q.io:80"],
            stream(tag("v1", "q.io/a/b"), **{"openshift.io/image.insecureRepository": "true"}),
            [],
            id="the annotation makes all tags insecure",
        ),
        pytest.param(
            ["q.io:80"],
            stream(tag("v1", "q.io/a/b", insecure=True), status=[("v1", "q.io/a/b:1")]),
            [],
            id="the history of an insecure tag",
        ),
    ],
)
def test_an_insecure_reference_without_a_port_may_be_either(allowed, obj, wanted):
    assert fields(obj, allowed=allowed) == wanted


def test_repositories_that_are_stored_already_may_stay():
    old = stream(tag("v1", "ghcr.io/a/b:1"), repository="docker.io/library/php")
    new = stream(tag("v1", "ghcr.io/a/b:2"), tag("v2", "ghcr.io/a/c:1"), tag("v3", "php:8.2"))
    assert fields(new, old) == ["spec.tags[v2].from.name"]
