import pytest

from webhook.distribution.configuration import Mirrors, Registries
from webhook.distribution.failures import Blocked
from webhook.distribution.mirrors import endpoints, listing_endpoint
from webhook.image.reference import parse


def tried(image, *rules, by_digest=False, **more):
    table = {"image_digest_mirrors" if by_digest else "image_tag_mirrors": rules}
    return [one.exact() for one in endpoints(parse(image), Registries(**table, **more), by_digest=by_digest)]


ACME = Mirrors("quay.io/acme", ("one.io/acme", "two.io:5000/mirror"))


@pytest.mark.parametrize(
    ("image", "rules", "wanted"),
    [
        pytest.param("quay.io/acme/app", [], ["quay.io/acme/app"], id="no mirrors"),
        pytest.param(
            "quay.io/acme/app",
            [ACME],
            ["one.io/acme/app", "two.io:5000/mirror/app", "quay.io/acme/app"],
            id="mirrors in their order, then the source",
        ),
        pytest.param("quay.io/acmeland/app", [ACME], ["quay.io/acmeland/app"], id="whole components of a path count"),
        pytest.param(
            "quay.io/acme/app",
            [Mirrors("quay.io", ("all.io",)), ACME, Mirrors("quay.io/acme/app", ("app.io/app",))],
            ["app.io/app", "quay.io/acme/app"],
            id="the longest source counts alone",
        ),
        pytest.param("quay.io/a/b", [Mirrors("quay.io", ("all.io",))], ["all.io/a/b", "quay.io/a/b"], id="a host"),
        pytest.param("quay.io:8443/a", [Mirrors("quay.io", ("all.io",))], ["quay.io:8443/a"], id="another port"),
        pytest.param(
            "php", [Mirrors("docker.io", ("hub.io/cache",))], ["hub.io/cache/library/php", "php"], id="Docker Hub"
        ),
        pytest.param(
            "docker.io/library/php",
            [Mirrors("index.docker.io/library", ("hub.io/cache",))],
            ["hub.io/cache/php", "docker.io/library/php"],
            id="Docker Hub by another name",
        ),
        pytest.param(
            "quay.io/acme/app",
            [Mirrors("quay.io/acme/app", ("bare.io", "good.io/app"))],
            ["good.io/app", "quay.io/acme/app"],
            id="a mirror that leaves no repository is passed over",
        ),
        pytest.param(
            "quay.io/acme/app",
            [Mirrors("quay.io", ("all.io",), "NeverContactSource")],
            ["all.io/acme/app"],
            id="a source that is never contacted",
        ),
    ],
)
def test_where_an_image_is_looked_for(image, rules, wanted):
    assert tried(image, *rules) == wanted


def test_digests_and_tags_have_tables_of_their_own():
    found = Registries(image_tag_mirrors=(ACME,))
    assert [one.exact() for one in endpoints(parse("quay.io/acme/app"), found, by_digest=True)] == ["quay.io/acme/app"]


def test_tags_are_always_listed_at_the_source():
    assert listing_endpoint(parse("quay.io/acme/app"), Registries(image_tag_mirrors=(ACME,))) == parse(
        "quay.io/acme/app"
    )


def test_a_blocked_registry_is_read_through_its_mirrors_only():
    assert tried("quay.io/acme/app", ACME, blocked_registries=("quay.io", "one.io")) == ["two.io:5000/mirror/app"]


@pytest.mark.parametrize(("image", "shown"), [("quay.io/acme/app", "quay.io"), ("php", "docker.io")])
def test_a_blocked_registry_without_mirrors_is_named(image, shown):
    with pytest.raises(Blocked, match=f"^registry {shown} blocked$"):
        tried(image, blocked_registries=("quay.io", "docker.io"))


def test_the_tags_of_a_blocked_registry_are_not_listed():
    with pytest.raises(Blocked):
        listing_endpoint(parse("quay.io/acme/app"), Registries((ACME,), blocked_registries=("quay.io",)))
