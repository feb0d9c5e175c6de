"""Whatever a registry or a secret holds, parsers raise what they say they raise, and cost no more than its length."""

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.distribution.stub import digest
from webhook.distribution import answers, challenge, credentials, link, tokens
from webhook.distribution.credentials import Keyring
from webhook.distribution.failures import CorruptSecret, DistributionError, UnexpectedAnswer
from webhook.distribution.transport import Answer
from webhook.image import manifest as manifests
from webhook.image.configuration import BadContent
from webhook.image.reference import parse
from webhook.reloading import Unusable

CONFIG = {"architecture": "amd64", "os": "linux", "created": "2024-01-02T03:04:05Z", "config": {"Env": ["PATH=/bin"]}}
DESCRIPTOR = {"mediaType": "application/octet-stream", "size": 119, "digest": digest(b"layer")}
PLATFORM = {"architecture": "amd64", "os": "linux"}
HISTORY = {"v1Compatibility": json.dumps({**CONFIG, "id": "aa", "Size": 7})}
SIGNATURE = {"protected": base64.urlsafe_b64encode(b'{"formatLength": 5, "formatTail": "Cn0"}').decode().rstrip("=")}
REAL = {
    manifests.DOCKER_MANIFEST: {"config": DESCRIPTOR, "layers": [DESCRIPTOR]},
    manifests.OCI_MANIFEST: {"config": DESCRIPTOR, "layers": [DESCRIPTOR]},
    manifests.DOCKER_LIST: {"manifests": [{**DESCRIPTOR, "platform": PLATFORM}]},
    manifests.OCI_INDEX: {"manifests": [{**DESCRIPTOR, "platform": PLATFORM}]},
    manifests.DOCKER_SCHEMA1_SIGNED: {
        "fsLayers": [{"blobSum": digest(b"layer")}],
        "history": [HISTORY],
        "signatures": [SIGNATURE],
    },
}
TEXT = st.text(st.characters(codec=None), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT | st.just(digest(b"x")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """The path of everything inside a JSON value."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def spoiled(draw, document):
    """The document with some of its parts replaced, as JSON, or that with some of its bytes replaced."""
    for _ in range(draw(st.integers(0, 2))):
        document = replaced(document, draw(st.sampled_from(list(places(document)))), draw(JSON))
    raw = json.dumps(document).encode()
    if draw(st.booleans()):
        start = draw(st.integers(0, len(raw)))
        raw = raw[:start] + draw(st.binary(max_size=8)) + raw[start + draw(st.integers(0, 20)) :]
    return raw


MANIFESTS = st.sampled_from(list(REAL)).flatmap(
    lambda kind: st.tuples(
        spoiled({"schemaVersion": 1 if "v1+" in kind else 2, "mediaType": kind, **REAL[kind]}),
        st.just(kind) | st.sampled_from(list(REAL)) | TEXT,
    )
)


@settings(max_examples=150)
@given(MANIFESTS, spoiled(CONFIG))
def test_a_manifest_is_read_or_refused(sent, config):
    raw, media_type = sent
    with contextlib.suppress(BadContent):
        found = manifests.parse(raw, media_type)
        if isinstance(found, manifests.Single):
            image = manifests.single_image(found, config, "quay.io/acme/app@" + found.digest)
        else:
            manifests.choose(found.entries, "arm64", "linux")
            image = manifests.list_image(found, "quay.io/acme/app@" + found.digest, "2026-03-01T12:00:00Z")
        # What comes out can be stored.
        json.dumps(image, allow_nan=False, ensure_ascii=False).encode()


@given(spoiled(REAL[manifests.DOCKER_SCHEMA1_SIGNED]), spoiled({"formatLength": 5, "formatTail": "Cn0"}))
def test_the_signature_of_a_manifest_is_read_or_refused(raw, header):
    protected = base64.urlsafe_b64encode(header).decode()
    for body in (raw, json.dumps({"signatures": [{"protected": protected}]}).encode()):
        with contextlib.suppress(BadContent):
            assert isinstance(manifests.signed_payload(body), bytes)


@pytest.mark.parametrize("header", [b'{"formatLength": Infinity}', b"[" * 100_000])
def test_the_header_of_a_signature_cannot_break_the_reader(header):
    protected = base64.urlsafe_b64encode(header).decode()
    with pytest.raises(BadContent):
        manifests.signed_payload(json.dumps({"signatures": [{"protected": protected}]}).encode())


CHALLENGE = st.lists(
    st.sampled_from(["Bearer", "Basic", " ", ",", "realm", "=", '"', "\\", "https://auth.example.com/token", "scope"])
    | TEXT,
    max_size=12,
).map("".join)


@given(st.lists(CHALLENGE, max_size=4))
def test_challenges_are_read_whatever_they_are(headers):
    for one in challenge.parse(headers):
        with contextlib.suppress(UnexpectedAnswer):
            key = tokens.key_for(one, "team/app", None)
            assert tokens.request_url(key).startswith(("http://", "https://"))


LINK = st.lists(st.sampled_from(["<", ">", ";", ",", "rel", "=", '"', "next", " ", "/v2/?n=1", "http://["]) | TEXT).map(
    "".join
)


@given(LINK, st.sampled_from(["https://quay.io/v2/team/app/tags/list", "https://quay.io/v2/team/app/tags/list?n=1"]))
def test_the_next_page_is_found_or_refused(header, url):
    answer = Answer(200, "OK", {"Link": header}, b"{}", url)
    with contextlib.suppress(UnexpectedAnswer):
        assert isinstance(answers.next_page(answer), str)


ACCOUNT = {"username": "reader", "password": "secret", "auth": base64.b64encode(b"reader:secret").decode()}
KEYS = (
    st.sampled_from(["quay.io", "https://", "http://[", "*.io", "https://http://[", "quay.io/acme", ":", "[::1]:5"])
    | TEXT
)


@given(st.dictionaries(KEYS, st.just(ACCOUNT), max_size=3).flatmap(lambda auths: spoiled({"auths": auths})))
def test_a_pull_secret_is_read_or_named(raw):
    secret = {
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(raw).decode()},
    }
    with contextlib.suppress(CorruptSecret):
        found = Keyring.from_secrets([secret]).find(parse("quay.io/acme/app:1"))
        assert found is None or f"{found.username}:{found.password}".encode()


@given(raw=spoiled({"auths": {"quay.io": ACCOUNT}}))
def test_the_servers_own_credentials_are_read_or_refused(raw, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "config.json"
    path.write_bytes(raw)
    with contextlib.suppress(Unusable):
        credentials.load(path).find(parse("quay.io/acme/app:1"))


ANSWERS = spoiled({"token": "t", "expires_in": 60, "tags": ["v1"], "errors": [{"code": "DENIED", "message": "no"}]})


@given(ANSWERS, st.sampled_from([401, 403, 404, 429, 500]))
def test_other_answers_are_read_or_refused(raw, status):
    answer = Answer(status, "", {}, raw, "https://quay.io/v2/")
    assert isinstance(answers.failure(answer, None), DistributionError)
    for read in (answers.tags, tokens.parse):
        with contextlib.suppress(UnexpectedAnswer):
            read(raw)


def in_manifest(text):
    return manifests.parse(text.encode(), manifests.OCI_MANIFEST)


HOSTILE = [
    pytest.param(link.next_target, "<", id="links that open"),
    pytest.param(link.next_target, "<>;a ", id="blanks after parameters"),
    pytest.param(link.next_target, '<>;a="', id="quotes that do not close"),
    pytest.param(link.next_target, "<>" + " ;a", id="links with parameters"),
    pytest.param(lambda text: challenge.parse(['Bearer a="' + text]), "\\", id="backslashes in quotes"),
    pytest.param(lambda text: challenge.parse([text]), 'Bearer a="\\', id="quotes that open"),
    pytest.param(lambda text: challenge.parse([text]), "a ,", id="schemes"),
    pytest.param(lambda text: challenge.parse([text]), "a=b ", id="parameters"),
    pytest.param(in_manifest, "[", id="nesting"),
    pytest.param(in_manifest, '{"a":', id="nesting of objects"),
    pytest.param(in_manifest, "9", id="digits"),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("read", "piece"), HOSTILE)
def test_four_megabytes_of_nonsense_are_soon_read(read, piece):
    with contextlib.suppress(BadContent):
        read(piece * (4 * 1024 * 1024 // len(piece)))
