import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.image.reference import InvalidReference, Reference, parse

HEX = "3c87c572822935df60f0f5d3665bd376841a7fcfeb806b5f212de6a00e9a7b25"
D = f"sha256:{HEX}"

SPLITS = [
    pytest.param("busybox", Reference(name="busybox"), id="a lone name"),
    pytest.param("busybox:1", Reference(name="busybox", tag="1"), id="a name with a tag"),
    pytest.param(f"busybox:1@{D}", Reference(name="busybox", tag="1", id=D), id="tag and digest are both kept"),
    pytest.param("a/b/c:t", Reference(namespace="a", name="b/c", tag="t"), id="all after the namespace is the name"),
    pytest.param("quay.io/a/b/c:t", Reference("quay.io", "a", "b/c", "t"), id="a dot makes a registry"),
    pytest.param("bar:5000/baz", Reference("bar:5000", name="baz"), id="a port makes a registry"),
    pytest.param("localhost/x", Reference("localhost", name="x"), id="localhost is a registry"),
    pytest.param("docker.io/library/x", Reference("docker.io", "library", "x"), id="library is not taken away"),
    pytest.param("docker.io/busybox", Reference("docker.io", name="busybox"), id="library is not added"),
    pytest.param("quay.io", Reference("quay.io"), id="a lone host is a registry"),
    pytest.param("my.image:1.0", Reference("my.image:1.0"), id="a lone name with a dot swallows its tag"),
    pytest.param(f"my.image@{D}", Reference(f"my.image@{D}", id=D), id="a lone host with a digest keeps the id"),
    pytest.param("localhosty", Reference("localhosty"), id="whatever begins with localhost is a registry"),
    pytest.param("localhost:5000", Reference("localhost:5000"), id="localhost with a port is a registry"),
    pytest.param("FOO/bar", Reference(namespace="FOO", name="bar"), id="an upper-case host counts as namespace"),
    pytest.param(f"sha256:{HEX}", Reference(name="sha256", tag=HEX), id="a digest alone is a name with a tag"),
    pytest.param("x/a--b__c.d-e_f", Reference(namespace="x", name="a--b__c.d-e_f"), id="separators inside names"),
]

REFUSED = [
    pytest.param("", "repository name must have at least one component", id="nothing"),
    pytest.param("Foo", "repository name must be lowercase", id="an upper-case name"),
    pytest.param("foo/Bar", "repository name must be lowercase", id="an upper-case last part"),
    pytest.param("foo:", "invalid reference format", id="an empty tag"),
    pytest.param(f"@{D}", "invalid reference format", id="a digest without a name"),
    pytest.param("*", "invalid reference format", id="a star"),
    pytest.param("a___b", "invalid reference format", id="three underscores"),
    pytest.param("https://x/y", "invalid reference format", id="a URL"),
    pytest.param("busybox\n", "invalid reference format", id="a line end"),
    pytest.param("abc@badid", "invalid reference format", id="an id that is no digest"),
    pytest.param(f"abc:{'t' * 129}", "invalid reference format", id="a tag of 129 characters"),
    pytest.param(f"abc@md5:{'0' * 32}", "unsupported digest algorithm", id="an unknown algorithm"),
    pytest.param(f"abc@sha256:{'0' * 32}", "invalid checksum digest length", id="a short digest"),
    pytest.param("a" * 256, "repository name must not be more than 255 characters", id="a name of 256 characters"),
    pytest.param("a" * 100_000, "repository name must not be more than 255 characters", id="far too long a text"),
]


@pytest.mark.parametrize(("text", "expected"), SPLITS)
def test_a_reference_splits_into_its_parts(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_no_reference_is_refused_in_the_words_of_the_original(text, message):
    with pytest.raises(InvalidReference) as refused:
        parse(text)
    assert str(refused.value) == message


def test_the_longest_name_still_parses():
    assert parse("a" * 255).name == "a" * 255


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a-" * 250 + "!", id="many groups in one component"),
        pytest.param("a/" * 250 + "!", id="many components"),
        pytest.param("a." * 250 + "!", id="many labels"),
        pytest.param("a" * 519 + "!", id="one long component"),
        pytest.param("a" + "-" * 518 + "!", id="one long run of dashes"),
        pytest.param("x@" + "a." * 250 + "!", id="many parts of an algorithm"),
    ],
)
def test_a_hostile_text_is_refused_quickly(text):
    started = time.perf_counter()
    with pytest.raises(InvalidReference):
        parse(text)
    assert time.perf_counter() - started < 0.2


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        pytest.param(f"busybox:1@{D}", f"busybox@{D}", id="a digest hides the tag"),
        pytest.param("docker.io/busybox", "docker.io/busybox", id="library is not filled in"),
        pytest.param("quay.io", "", id="without a name there is nothing to print"),
    ],
)
def test_text_comes_back_without_defaults(text, exact):
    assert parse(text).exact() == exact


def test_an_id_that_is_no_digest_prints_like_a_tag():
    assert Reference(name="app", id="3c87").exact() == "app:3c87"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("busybox", "docker.io/library/busybox:latest", id="all defaults"),
        pytest.param("quay.io/b", "quay.io/b:latest", id="no library elsewhere"),
        pytest.param("acme/app:1", "docker.io/acme/app:1", id="only the registry"),
        pytest.param("index.docker.io/x:1", "index.docker.io/library/x:1", id="library on any name of the hub"),
    ],
)
def test_client_defaults_fill_in_what_is_missing(text, expected):
    assert parse(text).with_client_defaults().exact() == expected


def test_client_defaults_add_latest_even_beside_a_digest():
    assert parse(f"busybox@{D}").with_client_defaults().tag == "latest"


def test_a_repository_has_neither_tag_nor_digest():
    assert parse(f"quay.io/acme/app:1@{D}").as_repository().exact() == "quay.io/acme/app"


def test_the_repository_name_is_the_path_on_the_server():
    assert parse("quay.io/acme/app:1").repository_name() == "acme/app"


@pytest.mark.parametrize(
    ("text", "insecure", "expected"),
    [
        pytest.param("busybox", False, ("docker.io", "443"), id="no registry is docker.io"),
        pytest.param("docker.io/busybox", False, ("registry-1.docker.io", "443"), id="docker.io serves elsewhere"),
        pytest.param("quay.io/a", True, ("quay.io", "80"), id="insecure is port 80"),
        pytest.param("bar:5000/baz", True, ("bar", "5000"), id="a port is kept"),
    ],
)
def test_host_and_port_of_the_registry(text, insecure, expected):
    assert parse(text).registry_host_port(insecure) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("docker.io/library/x:latest", "docker.io/library/x", id="latest goes"),
        pytest.param("docker.io/acme/x:1", "docker.io/acme/x:1", id="other tags stay"),
    ],
)
def test_the_minimal_form_has_no_tag_that_says_nothing(text, expected):
    assert parse(text).minimal().exact() == expected


@pytest.mark.parametrize(
    ("text", "short"),
    [
        pytest.param("php:8.2", True, id="a name alone is short"),
        pytest.param("acme/php", False, id="a namespace makes it long"),
        pytest.param("quay.io/php", False, id="a registry makes it long"),
        pytest.param("my.image:1.0", False, id="a lone host is no name"),
    ],
)
def test_only_a_bare_name_is_short(text, short):
    assert parse(text).is_short is short


NAME = st.from_regex(r"[a-z0-9]{1,9}([._-][a-z0-9]{1,5}){0,2}", fullmatch=True)
REFERENCES = st.builds(
    Reference,
    registry=st.sampled_from(["", "quay.io", "docker.io", "localhost", "bar:5000", "Registry.Example.com:443"]),
    namespace=NAME.map(lambda text: text.replace(".", "-").replace("localhost", "l")),
    name=NAME,
    tag=st.sampled_from(["", "latest", "1.0", "_x", "8.2-rc.1"]),
    id=st.just(""),
) | st.builds(Reference, registry=st.just("quay.io"), name=NAME, id=st.just(D))


@given(REFERENCES)
def test_what_is_printed_parses_to_the_same_parts(reference):
    assert parse(reference.exact()) == reference


@given(st.text(alphabet="aA0.:/@-_ sha256" + "é", max_size=60))
def test_any_text_parses_or_is_refused(text):
    try:
        found = parse(text)
    except InvalidReference:
        return
    if found.name and not (found.tag and found.id):
        assert found.exact() == text


@given(REFERENCES)
def test_client_defaults_are_stable(reference):
    full = reference.with_client_defaults()
    assert full.with_client_defaults() == full
