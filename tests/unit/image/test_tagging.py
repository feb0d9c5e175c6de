import copy

import pytest

from tests.unit.image.streams import AA, BB, EARLIER, INTEGRATED, NOW, event, stream, tag
from webhook.errors import NotFound, ServiceUnavailable
from webhook.image import generation, history, tagging, tags

PHP = stream("php", history={"8": [event(AA, 7, repository="quay.io/lib/php")], "9": [event(BB, 7)]})
FOREIGN = stream("php", history={"8": [event(BB, 3)]}, namespace="base")
BUILD = stream(
    "build",
    history={
        "v1": [{**event(AA, 1), "dockerImageReference": f"{INTEGRATED}/shop/build@{AA}"}],
        "v3": [{**event(BB, 1), "dockerImageReference": f"{INTEGRATED}/shop/build:v3"}],
        "other": [{**event(AA, 1), "dockerImageReference": f"{INTEGRATED}/shop/elsewhere@{AA}"}],
    },
)
KNOWN = {("shop", "php"): PHP, ("base", "php"): FOREIGN, ("shop", "build"): BUILD}


def resolve(new, old=None, *, load=None, authorize=lambda namespace, name: None):
    settled = generation.after_create(new) if old is None else generation.after_update(new, old)
    return tagging.resolve(
        settled,
        old,
        load=load or (lambda namespace, name: KNOWN.get((namespace, name))),
        authorize=authorize,
        integrated=INTEGRATED,
        now=NOW,
    )


def head(tag_, **more):
    """The head of a new stream's only tag after it is resolved without a finding."""
    after, findings = resolve(stream("app", [tag_], **more))
    assert findings == []
    return history.head(after, tag_["name"])


def message(tag_, **more):
    """The text of the one finding on a new stream."""
    _, findings = resolve(stream("app", [tag_]), **more)
    assert [(one.field, one.reason) for one in findings] == [("[]", "InternalError")]
    return findings[0].message


def test_a_registry_image_waits_for_its_import():
    assert head(tag("x", "quay.io/acme/app:1")) is None


def test_a_reference_enters_the_history_verbatim_and_without_an_image():
    assert head(tag("x", "quay.io/acme/app:1", reference=True)) == {
        "created": NOW,
        "dockerImageReference": "quay.io/acme/app:1",
        "image": "",
        "generation": 1,
    }


def test_a_tag_without_a_source_is_left_alone():
    assert head(tag("x", annotations={"note": "later"})) is None


def test_a_stream_tag_is_copied_with_the_time_it_had():
    found = head(tag("x", "php:8", kind="ImageStreamTag"))
    assert found == {**event(AA, 1, repository="quay.io/lib/php"), "created": EARLIER}


def test_a_stream_image_is_as_old_as_the_new_tag():
    found = head(tag("x", f"php@{AA}", kind="ImageStreamImage"))
    assert found == {**event(AA, 1, repository="quay.io/lib/php"), "created": NOW}


def test_a_tag_of_another_namespace_is_found_there():
    assert head(tag("x", "php:8", kind="ImageStreamTag", namespace="base"))["image"] == BB


def test_one_part_in_another_namespace_means_the_stream_of_the_same_name_there():
    after, findings = resolve(stream("php", [tag("x", "8", kind="ImageStreamTag", namespace="base")]))
    assert findings == []
    assert history.head(after, "x")["image"] == BB


def test_an_empty_tag_is_latest():
    source = stream("src", history={"latest": [event(AA)]})
    after, _ = resolve(stream("app", [tag("x", "src:", kind="ImageStreamTag")]), load=lambda *_: source)
    assert history.head(after, "x")["image"] == AA


def test_a_missing_tag_of_a_stream_is_accepted_and_stays_empty():
    assert head(tag("x", "php:10", kind="ImageStreamTag")) is None


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        pytest.param("nowhere:1", "ImageStreamTag", 'Not found: "nowhere:1"', id="the other stream is missing"),
        pytest.param("a:b:c", "ImageStreamTag", tagging._FORMS, id="three parts of a tag"),
        pytest.param("a@b@c", "ImageStreamImage", tagging._FORMS, id="three parts of an image"),
        pytest.param("quay.io/acme/app:1", "Image", tagging._FORMS, id="an unknown kind"),
        pytest.param(
            ":1", "ImageStreamTag", "unable to retrieve image stream: Name parameter required.", id="no stream name"
        ),
        pytest.param(
            "php:8",
            "ImageStreamImage",
            'error generating tag event: imagestreamimage.image.openshift.io "php:8" not found',
            id="a tag where an image is meant",
        ),
        pytest.param(
            "php@sha256:dead",
            "ImageStreamImage",
            'error generating tag event: imagestreamimage.image.openshift.io "sha256:dead" not found',
            id="an image that the stream never had",
        ),
        pytest.param(
            "php@sha256:", "ImageStreamImage", 'multiple images match the prefix "sha256:"', id="an ambiguous prefix"
        ),
    ],
)
def test_a_source_that_cannot_be_resolved_is_a_wrapped_finding(source, kind, text):
    found = message(tag("x", source, kind=kind))
    assert found.startswith('Internal error: imagestreams "app" is invalid: spec.tags[x].from.name: ')
    assert text in found


def test_the_wrapped_text_is_the_one_that_tools_match():
    assert message(tag("x", "other:latest", kind="ImageStreamTag")) == (
        'Internal error: imagestreams "app" is invalid: spec.tags[x].from.name: Not found: "other:latest"'
    )


def test_an_image_without_a_name_is_refused_like_a_malformed_source():
    empty = {**tag("x"), "from": {"kind": "DockerImage"}}
    assert message(empty).endswith(f'spec.tags[x].from.name: Invalid value: "": {tagging._FORMS}')


def test_a_registry_image_of_another_namespace_is_refused():
    found = message(tag("x", "quay.io/acme/app:1", namespace="base"))
    assert found.count(tagging._FORMS) == 1


def test_a_load_that_fails_is_a_finding_and_one_that_finds_nothing_too():
    def broken(namespace, name):
        raise ServiceUnavailable("try later")

    def missing(namespace, name):
        raise NotFound.of("imagestreams", "image.openshift.io", name)

    from_php = tag("x", "php:8", kind="ImageStreamTag")
    assert message(from_php, load=broken).endswith("unable to retrieve image stream: try later")
    assert message(from_php, load=missing).endswith('Not found: "php:8"')


def test_several_findings_are_one_cause():
    new = stream("app", [tag("x", "a:1", kind="ImageStreamTag"), tag("y", "b:1", kind="ImageStreamTag")])
    (found,) = resolve(new)[1]
    assert found.message == (
        'Internal error: imagestreams "app" is invalid: '
        '[spec.tags[x].from.name: Not found: "a:1", spec.tags[y].from.name: Not found: "b:1"]'
    )


class TestRights:
    """Tags from other namespaces need the right to pull from the stream there."""

    FROM_BASE = tag("x", "php:8", kind="ImageStreamTag", namespace="base")

    def test_a_denial_is_reported_on_the_source(self):
        found = message(self.FROM_BASE, authorize=lambda *_: "no")
        assert found.endswith('spec.tags[x].from: Forbidden: base/php: "no" ""')

    def test_a_denial_without_words_is_a_denial(self):
        assert message(self.FROM_BASE, authorize=lambda *_: "").endswith('Forbidden: base/php: "" ""')

    def test_a_missing_stream_is_reported_beside_the_denial(self):
        hidden = tag("x", "nowhere:1", kind="ImageStreamTag", namespace="base")
        found = message(hidden, authorize=lambda *_: "no")
        assert 'Forbidden: base/nowhere: "no" ""' in found
        assert 'Not found: "nowhere:1"' in found

    def test_every_stream_is_asked_about_once_and_reported_on_every_tag(self):
        asked = []
        new = stream("app", [self.FROM_BASE, {**self.FROM_BASE, "name": "y"}])
        _, (found,) = resolve(new, authorize=lambda *key: asked.append(key) or "no")
        assert asked == [("base", "php")]
        assert found.message.count("Forbidden") == 2

    def test_the_own_namespace_is_not_asked_about(self):
        def never(namespace, name):
            raise AssertionError("asked")

        new = stream("app", [tag("x", "php:8", kind="ImageStreamTag", namespace="shop")])
        assert resolve(new, authorize=never)[1] == []

    def test_an_unchanged_tag_is_not_checked_again_not_even_when_asked_with_zero(self):
        old, _ = resolve(stream("app", [self.FROM_BASE]))
        asked = tags.with_spec_tag(old, {**tags.spec_tag(old, "x"), "generation": 0})
        after, findings = resolve(asked, old, authorize=lambda *_: "no")
        assert findings == []
        assert history.head(after, "x") == history.head(old, "x")
        assert tags.spec_tag(after, "x")["generation"] == 2


@pytest.mark.parametrize(
    ("source", "more", "expected"),
    [
        pytest.param("build:v1", {}, f"{INTEGRATED}/shop/portal@{AA}", id="the source's own digest address moves"),
        pytest.param("build:v3", {}, f"{INTEGRATED}/shop/portal:v3", id="the source's own tag address moves"),
        pytest.param("build:v1", {"reference": True}, f"{INTEGRATED}/shop/build@{AA}", id="a reference stays"),
        pytest.param("build:other", {}, f"{INTEGRATED}/shop/elsewhere@{AA}", id="another stream's address stays"),
        pytest.param("php:8", {}, f"quay.io/lib/php@{AA}", id="an external address stays"),
    ],
)
def test_an_address_in_the_source_stream_moves_to_this_one(source, more, expected):
    after, _ = resolve(stream("portal", [tag("x", source, kind="ImageStreamTag", **more)]))
    assert history.head(after, "x")["dockerImageReference"] == expected


def test_only_new_and_changed_tags_are_resolved():
    old, _ = resolve(stream("app", [tag("x", "php:8", kind="ImageStreamTag")]))
    newer = stream("php", history={"8": [event(BB, 9)]})
    same, _ = resolve({**old, "spec": {**old["spec"], "lookupPolicy": {"local": True}}}, old, load=lambda *_: newer)
    assert history.items(same, "x") == history.items(old, "x")
    moved = tags.with_spec_tag(old, tag("x", "php:8.1", kind="ImageStreamTag"))
    other = stream("php", history={"8.1": [event(BB, 9)]})
    after, _ = resolve(moved, old, load=lambda *_: other)
    assert [item["image"] for item in history.items(after, "x")] == [BB, AA]


def test_a_changed_kind_alone_looks_nothing_up():
    old, _ = resolve(stream("app", [tag("x", "php:8")]))
    after, findings = resolve(tags.with_spec_tag(old, tag("x", "php:8", kind="ImageStreamTag")), old)
    assert (history.head(after, "x"), findings) == (None, [])
    assert (after["metadata"]["generation"], tags.spec_tag(after, "x")["generation"]) == (2, 1)


def test_resolving_changes_nothing_that_was_passed_in():
    new = generation.after_create(stream("php", [tag("x", "8", kind="ImageStreamTag")], {"8": [event(AA)]}))
    before = copy.deepcopy((new, KNOWN))
    tagging.resolve(new, None, load=KNOWN.get, authorize=lambda *_: None, integrated=INTEGRATED, now=NOW)
    assert (new, KNOWN) == before
