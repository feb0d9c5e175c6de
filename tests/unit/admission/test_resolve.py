"""Which references become which pull specs, and the reason given for each: admission A.6, A.8, A.11."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.admission.streams import INTEGRATED, SHOP, V1, V2, view
from webhook.admission import reasons
from webhook.admission.explain import explain
from webhook.admission.resolve import resolve, resolve_object
from webhook.view.index import View

VIEW = view()


@pytest.mark.parametrize(
    ("written", "force", "image", "reason"),
    [
        pytest.param("app:v1", False, f"quay.io/team/app@{V1}", reasons.RESOLVED, id="a local name"),
        pytest.param("app:v2", False, f"quay.io/team/app@{V2}", reasons.RESOLVED, id="a recorded tag becomes a digest"),
        pytest.param("php", False, f"docker.io/library/php@{V1}", reasons.RESOLVED, id="no tag means latest"),
        pytest.param("php:8.2", False, f"php@{V2}", reasons.RESOLVED, id="no registry is added to what was recorded"),
        pytest.param("app:bare", False, f"team/app@{V1}", reasons.RESOLVED, id="nor to one with a namespace"),
        pytest.param("app:pinned", False, f"{INTEGRATED}/shop/app@{V1}", reasons.RESOLVED, id="policy Local"),
        pytest.param("app:v9", False, f"{INTEGRATED}/shop/app:v9", reasons.MISSING_TAG_DEFERRED, id="an unknown tag"),
        pytest.param(
            "app:gone", False, f"{INTEGRATED}/shop/app:gone", reasons.MISSING_TAG_DEFERRED, id="failed import"
        ),
        pytest.param(
            "app:pointer", False, f"{INTEGRATED}/shop/app:pointer", reasons.MISSING_TAG_DEFERRED, id="a reference tag"
        ),
        pytest.param("app:broken", False, None, reasons.UNUSABLE_PULL_SPEC, id="a recorded reference that is none"),
        pytest.param("homeless:v9", False, None, reasons.NO_SUCH_TAG, id="an unknown tag without a registry"),
        pytest.param("closed:v1", False, None, reasons.LOOKUP_DISABLED, id="lookup off"),
        pytest.param("closed:v9", False, None, reasons.LOOKUP_DISABLED, id="lookup off, unknown tag"),
        pytest.param("closed:v1", True, f"quay.io/team/closed@{V1}", reasons.RESOLVED, id="lookup off, annotation"),
        pytest.param("closed:v9", True, f"{INTEGRATED}/shop/closed:v9", reasons.MISSING_TAG_DEFERRED, id="both"),
        pytest.param("nginx:1.25", False, None, reasons.NO_SUCH_STREAM, id="an unknown stream"),
        pytest.param("tools:v1", False, None, reasons.NO_SUCH_STREAM, id="a stream of another namespace"),
        pytest.param(f"app@{V1}", False, None, reasons.DIGEST, id="a digest"),
        pytest.param(f"app:v1@{V1}", True, None, reasons.DIGEST, id="a digest and a tag, annotation"),
        pytest.param("quay.io/team/app:v1", False, None, reasons.NOT_SHORT, id="a registry"),
        pytest.param("shop/app:v1", False, None, reasons.NOT_SHORT, id="the own namespace in front"),
        pytest.param("localhost/app:v1", False, None, reasons.NOT_SHORT, id="localhost is a registry"),
        pytest.param("quay.io/team/app:v1", True, f"quay.io/team/app@{V1}", reasons.RESOLVED, id="ignored if forced"),
        pytest.param(
            "other/app:v1", True, f"quay.io/team/app@{V1}", reasons.RESOLVED, id="namespace ignored if forced"
        ),
        pytest.param("a/b/app:v1", True, None, reasons.NO_SUCH_STREAM, id="a nested name if forced"),
        pytest.param("my.app:v1", False, None, reasons.INVALID_NAME, id="a dot makes it a registry"),
        pytest.param("my.app:v1", True, None, reasons.INVALID_NAME, id="a dot, annotation"),
        pytest.param(f"{INTEGRATED}/shop/app:v1", False, None, reasons.INTEGRATED, id="integrated"),
        pytest.param(f"{INTEGRATED}/other/tools:v1", False, None, reasons.INTEGRATED, id="integrated, elsewhere"),
        pytest.param(f"{INTEGRATED}/shop/app:v9", False, None, reasons.INTEGRATED, id="integrated, unknown tag"),
        pytest.param(
            f"{INTEGRATED}/shop/app",
            False,
            f"{INTEGRATED}/shop/app:latest",
            reasons.MISSING_TAG_DEFERRED,
            id="integrated, no tag, no latest",
        ),
        pytest.param(f"{INTEGRATED}/shop/php", False, None, reasons.INTEGRATED, id="integrated, no tag, a latest"),
        pytest.param(f"{INTEGRATED}/shop/closed", False, None, reasons.NO_SUCH_TAG, id="integrated, lookup off"),
        pytest.param(f"{INTEGRATED}/other/app:v1", True, f"quay.io/team/app@{V1}", reasons.RESOLVED, id="both ways"),
        pytest.param(INTEGRATED, True, None, reasons.INVALID_NAME, id="the bare registry"),
        pytest.param("App:v1", False, None, reasons.UNPARSABLE, id="upper case"),
        pytest.param("app:v1:v2", False, None, reasons.UNPARSABLE, id="two tags"),
        pytest.param("app@sha256:abc", False, None, reasons.UNPARSABLE, id="a short digest"),
        pytest.param(" ", False, None, reasons.UNPARSABLE, id="the blank that waits for a trigger"),
        pytest.param("", True, None, reasons.UNPARSABLE, id="nothing"),
    ],
)
def test_a_reference_becomes_its_pull_spec_or_stays(written, force, image, reason):
    decision = resolve(written, "shop", force, VIEW, INTEGRATED)
    assert (decision.image, decision.reason) == (image, reason)


def test_a_tag_whose_image_is_deleted_counts_as_missing():
    gone = View.from_objects(SHOP, images=[{"metadata": {"name": V2}}])
    assert resolve("app:v2", "shop", False, gone, INTEGRATED).reason == reasons.RESOLVED
    assert resolve("app:v1", "shop", False, gone, INTEGRATED).image == f"{INTEGRATED}/shop/app:v1"


def test_without_an_integrated_registry_nothing_is_integrated():
    assert resolve(f"{INTEGRATED}/shop/app", "shop", False, VIEW, "").reason == reasons.NOT_SHORT


def test_an_unknown_stream_says_nothing_before_the_first_list():
    assert resolve("app:v1", "shop", False, View(), INTEGRATED).reason == reasons.NOT_READY


@pytest.mark.parametrize(
    ("kind", "name", "namespace", "image", "reason"),
    [
        ("DockerImage", "app:v1", "", f"quay.io/team/app@{V1}", reasons.RESOLVED),
        ("ImageStreamTag", "app:v1", "", None, reasons.STREAM_REFERENCE),
        ("ImageStreamTag", "app:v9", "", f"{INTEGRATED}/shop/app:v9", reasons.MISSING_TAG_DEFERRED),
        ("ImageStreamTag", "tools:v9", "other", f"{INTEGRATED}/other/tools:v9", reasons.MISSING_TAG_DEFERRED),
        ("ImageStreamTag", "closed:v9", "", None, reasons.STREAM_REFERENCE),
        ("ImageStreamTag", "app", "", None, reasons.UNPARSABLE),
        ("ImageStreamImage", f"app@{V1}", "", None, reasons.STREAM_REFERENCE),
        ("ConfigMap", "app", "", None, reasons.UNSUPPORTED_KIND),
        ("", "app:v1", "", None, reasons.UNSUPPORTED_KIND),
    ],
)
def test_a_build_reference_changes_only_where_a_build_could_not_look_it_up(kind, name, namespace, image, reason):
    decision = resolve_object(kind, name, namespace, "shop", False, VIEW, INTEGRATED)
    assert (decision.image, decision.reason) == (image, reason)


def test_the_annotation_does_not_change_an_image_stream_tag():
    assert resolve_object("ImageStreamTag", "closed:v9", "", "shop", True, VIEW, INTEGRATED).image is None


def test_every_reason_has_a_sentence_and_an_explanation():
    names = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert names == set(reasons.SENTENCES)


def test_the_explanation_names_the_failed_import():
    assert "quay.io/team/app:gone" in explain(resolve("app:gone", "shop", False, VIEW, INTEGRATED))


def test_the_explanation_of_disabled_lookup_gives_the_command_that_enables_it():
    text = explain(resolve("closed:v1", "shop", False, VIEW, INTEGRATED))
    assert "kubectl patch imagestream closed -n shop" in text


def test_a_hostile_name_costs_next_to_nothing():
    begun = time.perf_counter()
    resolve("a" * 1_000_000 + "!", "shop", False, VIEW, INTEGRATED)
    resolve("a_" * 300 + "!", "shop", False, VIEW, INTEGRATED)
    assert time.perf_counter() - begun < 0.5


PARTS = st.sampled_from(
    ["app", "php", "closed", "shop", "v1", "v9", "gone", ":", "/", "@", V1, INTEGRATED, "quay.io", "."]
)


@given(st.lists(PARTS, max_size=8).map("".join) | st.text(), st.booleans())
def test_a_decision_is_always_explained_and_settles_at_once(written, force):
    decision = resolve(written, "shop", force, VIEW, INTEGRATED)
    assert explain(decision)
    if decision.image is not None:
        assert decision.image != written
        assert resolve(decision.image, "shop", force, VIEW, INTEGRATED).image is None
