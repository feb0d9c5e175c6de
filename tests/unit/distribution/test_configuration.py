import re
from pathlib import Path

import pytest

from webhook.distribution import configuration
from webhook.distribution.configuration import RegistryLimits
from webhook.image.allowlist import AllowedRegistry
from webhook.image.reference import parse
from webhook.reloading import Unusable

EVERYTHING = """
imageTagMirrors:
- source: quay.io/acme
  mirrors: [mirror.example.com:5000/acme]
imageDigestMirrors:
- source: docker.io
  mirrors: [mirror.example.com/hub]
  mirrorSourcePolicy: NeverContactSource
blockedRegistries: [bad.example.com, "*.bad.example.com"]
insecureRegistries: ["10.0.0.1:5000"]
allowedRegistriesForImport:
- domainName: quay.io
- domainName: "*.example.com:5000"
  insecure: true
egress:
  allow: [10.0.0.0/8, "fd00:1::/64", 192.168.1.5, registry.internal, "*.corp.example.com"]
limits:
- registry: docker.io
  requestsPerSecond: 0.5
  concurrency: 2
  shortestInterval: 900
- requestsPerSecond: 20
"""


@pytest.fixture
def load(tmp_path):
    def one(text):
        path = tmp_path / "registries.yaml"
        path.write_text(text)
        return configuration.load(path)

    return one


def test_everything_can_be_said(load):
    found = load(EVERYTHING)
    assert found.image_tag_mirrors[0].mirrors == ("mirror.example.com:5000/acme",)
    assert [one.contacts_source for one in (*found.image_tag_mirrors, *found.image_digest_mirrors)] == [True, False]
    assert found.allowed_registries_for_import[1] == AllowedRegistry("*.example.com:5000", insecure=True)


def test_the_example_of_the_documentation_can_be_used(load):
    page = (Path(__file__).parents[3] / "docs" / "registries.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert load(example).limits_of("docker.io").shortest_interval == 3600


@pytest.mark.parametrize("text", ["", "# nothing yet", "{}"])
def test_an_empty_file_says_nothing(load, text):
    assert load(text) == configuration.Registries()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("mirrors: []", "there is no field `mirrors`", id="an unknown field"),
        pytest.param("egress: {deny: []}", "egress: there is no field `deny`", id="an unknown field inside"),
        pytest.param("blockedRegistries: quay.io", "blockedRegistries: Expected `array`, got `str`", id="no list"),
        pytest.param("[quay.io]", "Expected `object | null`, got `array`", id="no object"),
        pytest.param("limits: [}", "while parsing a flow node", id="no YAML"),
        pytest.param(
            "limits: [{concurrency: 0}]", "limits[0].concurrency: Expected `int` >= 1", id="a limit that stops all"
        ),
        pytest.param(
            "limits: [{}, {}]", 'limits: the registry "*" is listed 2 times', id="two limits for one registry"
        ),
        pytest.param(
            "limits: [{registry: 'https://quay.io'}]",
            'limits: the registry "https://quay.io" is not host[:port] or *',
            id="an address for a registry",
        ),
        pytest.param(
            "imageTagMirrors: [{source: acme, mirrors: [quay.io]}]",
            'imageTagMirrors[0].source: "acme" is not host[:port][/path]',
            id="a source without a registry",
        ),
        pytest.param(
            "imageDigestMirrors: [{source: quay.io, mirrors: [a.io, 'b.io/x:1']}]",
            'imageDigestMirrors[0].mirrors[1]: "b.io/x:1" is not host[:port][/path]',
            id="a mirror with a tag",
        ),
        pytest.param(
            "imageTagMirrors: [{source: quay.io, mirrors: []}]",
            "imageTagMirrors[0].mirrors: at least one mirror is needed",
            id="no mirror",
        ),
        pytest.param(
            "imageTagMirrors: [{source: q.io, mirrors: [a.io]}, {source: q.io, mirrors: [b.io]}]",
            'imageTagMirrors: the source "q.io" is listed 2 times; put its mirrors into one list',
            id="two entries for one source",
        ),
        pytest.param(
            "imageTagMirrors: [{source: q.io, mirrors: [a.io], mirrorSourcePolicy: Never}]",
            "imageTagMirrors[0].mirrorSourcePolicy: Invalid enum value 'Never'",
            id="an unknown policy",
        ),
        pytest.param(
            "blockedRegistries: [quay.io/acme]",
            'blockedRegistries[0]: "quay.io/acme" is not host[:port] or *.domain',
            id="a repository for a registry",
        ),
        pytest.param(
            "egress: {allow: [10.0.0.0/33]}",
            'egress.allow[0]: "10.0.0.0/33" is not an address, a network such as 10.0.0.0/8 or a host name',
            id="a network that is none",
        ),
        pytest.param(
            "egress: {allow: [300.0.0.1]}", 'egress.allow[0]: "300.0.0.1" is not an address', id="no address either"
        ),
        pytest.param(
            "allowedRegistriesForImport: [{domainName: 'quay.io/acme'}]",
            'allowedRegistriesForImport[0].domainName: "quay.io/acme" is not host[:port]',
            id="an allowed repository",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_its_place(load, tmp_path, text, sentence):
    with pytest.raises(Unusable) as caught:
        load(text)
    assert str(caught.value).startswith(f"{tmp_path / 'registries.yaml'}: {sentence}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("image", "blocked"),
    [
        pytest.param("bad.example.com/a/b", True, id="the host"),
        pytest.param("bad.example.com:5000/a/b", False, id="another port"),
        pytest.param("x.y.bad.example.com/a", True, id="a host below a wildcard"),
        pytest.param("good.example.com/a", False, id="another host"),
        pytest.param("php", False, id="Docker Hub"),
    ],
)
def test_blocked_registries(load, image, blocked):
    assert load(EVERYTHING).is_blocked(parse(image)) is blocked


def test_docker_hub_is_blocked_under_any_of_its_names(load):
    found = load("blockedRegistries: [docker.io]")
    assert all(found.is_blocked(parse(one)) for one in ("php", "docker.io/php", "registry-1.docker.io/library/php"))


def test_insecure_registries_are_named_with_their_port(load):
    found = load(EVERYTHING)
    assert [found.is_insecure(parse(one)) for one in ("10.0.0.1:5000/a", "10.0.0.1/a")] == [True, False]


@pytest.mark.parametrize(
    ("registry", "wanted"),
    [
        pytest.param("registry-1.docker.io", RegistryLimits("docker.io", 0.5, 2, 900), id="Docker Hub's API"),
        pytest.param("quay.io", RegistryLimits(requests_per_second=20), id="all others"),
    ],
)
def test_the_limits_of_a_registry(load, registry, wanted):
    assert load(EVERYTHING).limits_of(registry) == wanted


def test_without_limits_nothing_is_said_of_a_registry(load):
    assert load("").limits_of("quay.io") == RegistryLimits()
