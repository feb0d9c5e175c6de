import pytest

from tests.unit.image.streams import AA, BB, CC, event, stream, tag
from webhook.image import limits


def limit(**maxima):
    names = {f"openshift.io/{key.replace('_', '-')}": value for key, value in maxima.items()}
    return {"kind": "LimitRange", "spec": {"limits": [{"type": "openshift.io/ImageStream", "max": names}]}}


ONE = stream(tags=[tag("a", "quay.io/x:1")], history={"a": [event(AA)]})
TWO = stream(tags=[tag("a", "quay.io/x:1"), tag("b", "quay.io/x:2")], history={"a": [event(AA)], "b": [event(BB)]})
TAGS_TEXT = "requested usage of openshift.io/image-tags exceeds the maximum limit per openshift.io/ImageStream (2 > 1)"
IMAGES_TEXT = "requested usage of openshift.io/images exceeds the maximum limit per openshift.io/ImageStream (2 > 1)"


@pytest.mark.parametrize(
    ("ranges", "old", "new", "expected"),
    [
        pytest.param([], ONE, TWO, None, id="no LimitRange"),
        pytest.param([limit(image_tags="2")], ONE, TWO, None, id="as many as allowed"),
        pytest.param([limit(image_tags="1")], ONE, TWO, TAGS_TEXT, id="too many references"),
        pytest.param([limit(images=1)], ONE, TWO, IMAGES_TEXT, id="too many images"),
        pytest.param([limit(images="1", image_tags="1")], None, TWO, f"[{IMAGES_TEXT}, {TAGS_TEXT}]", id="both"),
        pytest.param([limit(images="5"), limit(images="1")], ONE, TWO, IMAGES_TEXT, id="the smallest counts"),
        pytest.param([limit(images="1k")], ONE, TWO, None, id="a quantity with a suffix"),
        pytest.param([limit(images="many")], ONE, TWO, None, id="a quantity that cannot be read"),
        pytest.param([limit(images="1e999999")], ONE, TWO, None, id="a quantity without measure"),
        pytest.param([limit(images="0", image_tags="0")], TWO, ONE, None, id="fewer than before"),
        pytest.param([limit(images="0", image_tags="0")], ONE, ONE, None, id="as many as before"),
        pytest.param(
            [{"spec": {"limits": [{"type": "Pod", "max": {"openshift.io/images": "0"}}]}}], ONE, TWO, None, id="no kin"
        ),
    ],
)
def test_a_stream_over_a_limit_is_refused_once_it_grows(ranges, old, new, expected):
    assert limits.excess(ranges, old, new) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(tag("a", "busybox"), tag("b", "docker.io/library/busybox:latest"), id="one registry image"),
        pytest.param(
            tag("a", "php:8", kind="ImageStreamTag"),
            tag("b", "php:8", kind="ImageStreamTag", namespace="shop"),
            id="one stream tag",
        ),
        pytest.param(
            tag("a", f"php@{AA}", kind="ImageStreamImage"),
            tag("b", f"php@{AA}", kind="ImageStreamImage", namespace="shop"),
            id="one stream image",
        ),
        pytest.param(tag("a", "php:8", kind="ImageStreamTag"), tag("b", "a", kind="ImageStreamTag"), id="an alias"),
        pytest.param(tag("a", "busybox"), tag("b", "Not A Reference"), id="an unreadable name"),
        pytest.param(tag("a", "busybox"), tag("b"), id="a tag without a source"),
    ],
)
def test_two_spellings_of_one_reference_count_once(left, right):
    assert limits.excess([limit(image_tags="1")], None, stream(tags=[left, right])) is None


def test_an_exchanged_image_counts_as_growth():
    ranges = [limit(images="1")]
    other = stream(history={"a": [event(AA)], "c": [event(CC)]})
    assert limits.excess(ranges, TWO, other) == IMAGES_TEXT


def test_an_excess_is_reported_as_the_original_does():
    found = limits.finding("app", TAGS_TEXT)
    assert (found.field, found.reason) == ("[]", "InternalError")
    assert found.message == f'Internal error: ImageStream.image.openshift.io "app" is forbidden: {TAGS_TEXT}'
