"""What the user is told when a name that looks like a stream's stays as it is."""

import pytest

from tests.unit.admission.objects import configured, pod, verdict
from tests.unit.admission.streams import INTEGRATED, stream
from webhook.admission import notices
from webhook.view.index import View


def told(*images, under=None, **more):
    return verdict("pods", pod(*images), under=under or configured(), **more).warnings


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (
            "closed:v1",
            "closed:v1 stays as written: image stream shop/closed does not allow local lookup"
            " (spec.lookupPolicy.local)",
        ),
        (
            "homeless:v9",
            "homeless:v9 stays as written: image stream shop/homeless has no image for tag v9 (it has no such tag)",
        ),
        (
            "app:gone",
            "app:gone cannot be pulled yet: image stream shop/app has no image for tag gone"
            ' (its last import failed: dockerimage.image.openshift.io "quay.io/team/app:gone" not found)',
        ),
        (
            "app:broken",
            "app:broken stays as written: what image stream shop/app records for tag broken is no image reference",
        ),
    ],
)
def test_a_name_that_looks_like_a_streams_is_explained(image, sentence):
    assert told(image) == [sentence]


@pytest.mark.parametrize(
    "image", ["app:v1", "nginx:1.27", "quay.io/team/app:v1", "my.app:v1", "", f"{INTEGRATED}/shop/app:v1"]
)
def test_other_images_are_nobodys_business(image):
    assert told(image) == []


def test_sentences_are_said_once_and_can_be_switched_off():
    assert len(told("closed:v1", "closed:v1", "closed:v2")) == 2
    assert told("closed:v1", under=configured(warnings=False)) == []
    assert told("closed:v1", under=configured(strict=True)) == []


def test_only_a_few_sentences_are_said():
    assert len(told(*[f"closed:v{number}" for number in range(100)])) == 10


def test_a_registrys_answer_is_cut_and_kept_on_one_line():
    long = View.from_objects(
        [stream("shop", "app", local=True, repository="", failures={"v1": "a\n\x1b\u2028b" * 500})]
    )
    (sentence,) = told("app:v1", view=long)
    assert (len(sentence), sentence.isprintable(), sentence[-1]) == (256, True, "…")
    assert "import failed: a ba ba b" in sentence


def test_too_many_images_and_a_view_that_is_not_loaded_are_always_said():
    assert told(*["nginx"] * 10_001, under=configured(strict=True)) == [notices.TOO_MANY]
    assert told("app:v1", under=configured(strict=True), view=View()) == [notices.NOT_READY]
