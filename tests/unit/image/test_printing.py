import pytest

from tests.unit.image.streams import AA, BB, EARLIER, INTEGRATED, NOW, event, stream, tag
from webhook.image import assemble, printing

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "Less than a second"),
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (59 * 60 + 59, "59 minutes"),
        (HOUR, "About an hour"),
        (HOUR + 1799, "About an hour"),
        (HOUR + 1800, "2 hours"),
        (47 * HOUR + 1799, "47 hours"),
        (2 * DAY, "2 days"),
        (14 * DAY - HOUR, "13 days"),
        (14 * DAY, "2 weeks"),
        (60 * DAY - HOUR, "8 weeks"),
        (60 * DAY, "2 months"),
        (730 * DAY - HOUR, "24 months"),
        (730 * DAY, "2 years"),
        (3 * 365 * DAY, "3 years"),
    ],
)
def test_a_time_span_is_told_as_docker_tells_it(seconds, text):
    assert printing.duration(seconds) == text


def test_how_long_ago_something_was():
    assert printing.ago(EARLIER, "2026-01-02T05:04:05Z") == "2 hours ago"
    assert printing.ago("", NOW) == ""


@pytest.mark.parametrize(
    ("kind", "names", "wide"),
    [
        ("Image", ["Name", "Image Reference"], []),
        ("ImageStream", ["Name", "Image Repository", "Tags", "Updated"], []),
        ("ImageStreamTag", ["Name", "Image Reference", "Updated", "Image Name"], ["Image Name"]),
        ("ImageTag", ["Name", "Spec", "Status", "History", "Updated"], []),
        ("ImageStreamImage", ["Name", "Updated", "Image Reference", "Image Name"], ["Image Reference", "Image Name"]),
    ],
)
def test_every_kind_has_its_columns(kind, names, wide):
    found = printing.columns(kind)
    assert [one["name"] for one in found] == names
    assert [one["name"] for one in found if one["priority"]] == wide
    assert found[0]["format"] == "name"


def test_the_length_of_a_history_is_a_number():
    assert [one["name"] for one in printing.columns("ImageTag") if one["type"] == "number"] == ["History"]


def test_a_row_has_a_cell_for_every_column():
    one = stream("app", [tag("v1")], {"v1": [event(AA)]})
    objects = [
        one,
        {"kind": "Image", "metadata": {"name": AA}, "dockerImageReference": "quay.io/acme/app:1"},
        assemble.stream_tag(one, "v1", None),
        assemble.image_tag(one, "v1", None),
        assemble.stream_image(one, "aa", {"metadata": {"name": AA}}),
    ]
    for obj in objects:
        assert len(printing.row(obj, NOW)) == len(printing.columns(obj["kind"]))


def test_an_image_shows_its_reference():
    image = {"metadata": {"name": AA}, "dockerImageReference": "quay.io/acme/app:1"}
    assert printing.row(image, NOW, "Image") == [AA, "quay.io/acme/app:1"]


def test_a_stream_shows_its_newest_tags_first():
    newer = event(BB, created="2026-03-01T11:58:00Z")
    one = stream("app", [tag("spec-only")], {"a": [event(AA)], "b": [newer, event(AA)], "c": [event(AA)]})
    assert printing.row(one, NOW) == ["app", f"{INTEGRATED}/shop/app", "b,a,c", "2 minutes ago"]


def test_a_stream_without_a_history_shows_nothing():
    assert printing.row(stream("bare"), NOW) == ["bare", f"{INTEGRATED}/shop/bare", "", ""]


@pytest.mark.parametrize(
    ("spec", "public", "expected"),
    [
        pytest.param("", "", f"{INTEGRATED}/shop/app", id="the status repository"),
        pytest.param("quay.io/acme/app", "", "quay.io/acme/app", id="before it the one of the spec"),
        pytest.param("quay.io/acme/app", "r.example.com/shop/app", "r.example.com/shop/app", id="first the public one"),
    ],
)
def test_a_stream_shows_the_repository_that_reaches_furthest(spec, public, expected):
    one = stream("app")
    one["spec"]["dockerImageRepository"] = spec
    one["status"]["publicDockerImageRepository"] = public
    assert printing.row(one, NOW)[1] == expected


@pytest.mark.parametrize(
    ("names", "text"),
    [
        pytest.param(
            [f"r{n:02}" for n in range(1, 13)], "r01,r02,r03,r04,r05,r06,r07,r08,r09,r10 + 2 more...", id="40"
        ),
        pytest.param(["a" * 60, "b"], "a" * 60 + " + 1 more...", id="at least one"),
        pytest.param(["a" * 27, "b" * 21, "c"], f"{'a' * 27},{'b' * 21} + 1 more...", id="ten over, with room left"),
        pytest.param(["a" * 27, "b" * 22, "c"], f"{'a' * 27} + 2 more...", id="eleven over"),
        pytest.param(["a" * 28, "b" * 15, "c"], f"{'a' * 28} + 2 more...", id="too little room left"),
        pytest.param(["a" * 19, "b" * 19], f"{'a' * 19},{'b' * 19}", id="exactly full"),
    ],
)
def test_the_list_of_tags_ends_after_about_forty_characters(names, text):
    one = stream("app", history={name: [event(AA)] for name in names})
    assert printing.row(one, NOW)[2] == text


def test_a_stream_tag_shows_its_address_and_digest():
    one = assemble.stream_tag(stream("app", history={"v1": [event(AA, created=NOW)]}), "v1", None)
    assert printing.row(one, NOW) == ["app:v1", f"quay.io/acme/app@{AA}", "Less than a second ago", AA]


def scheduled(**more):
    return {"importPolicy": {"scheduled": True}, **more}


FAILED = [{"type": "ImportSuccess", "status": "False", "reason": "NotFound", "lastTransitionTime": NOW}]


@pytest.mark.parametrize(
    ("spec", "items", "conditions", "cells"),
    [
        pytest.param(tag("x", "a/b:c", reference=True), [], [], ["Ref", "a/b:c", None], id="a reference"),
        pytest.param(
            tag("x", "b:c", kind="ImageStreamTag", namespace="a", **scheduled(reference=True)),
            [],
            [],
            ["Scheduled", "istag a/b:c", None],
            id="scheduled wins over reference",
        ),
        pytest.param(
            tag("x", "a/b:c", generation=2), [event(AA, 1)], [], ["Tag", "Importing", 1], id="an import is pending"
        ),
        pytest.param(
            tag("x", "a/b:c", generation=3),
            [event(AA, 4), event(BB, 3)],
            [],
            ["Push", f"image/{AA}", 2],
            id="pushed over",
        ),
        pytest.param(
            tag("x", "other", kind="ImageStreamTag", generation=1),
            [event(AA, 2)],
            [],
            ["Track", f"image/{AA}", 1],
            id="following",
        ),
        pytest.param(None, [event(AA, 2)], [], ["Push", f"image/{AA}", 1], id="only pushed"),
        pytest.param(tag("x"), [], [], ["", "", None], id="only annotations"),
        pytest.param(tag("x", "a/b:c"), [], FAILED, ["Tag", "ImportFailed (NotFound)", None], id="a failed import"),
        pytest.param(
            tag("x", "a/b:c", reference=True),
            [{"created": EARLIER, "dockerImageReference": "a/b:c", "image": "", "generation": 1}],
            [],
            ["Ref", "a/b:c", 1],
            id="a recorded reference",
        ),
        pytest.param(
            tag("x", "v9", kind="ImageStreamTag"), [], [], ["Track", "istag/v9", None], id="following nothing"
        ),
        pytest.param(
            tag("x", f"b@{AA}", kind="ImageStreamImage"), [], [], ["Tag", f"image/{AA}", None], id="a stream image"
        ),
        pytest.param(
            tag("x", "b", kind="ImageStreamImage"), [], [], ["Tag", "InvalidRefName", None], id="a malformed image"
        ),
        pytest.param(tag("x", "b", kind="Image"), [], [], ["Tag", "InvalidRefKind", None], id="a malformed kind"),
    ],
)
def test_an_image_tag_tells_where_its_image_comes_from_and_how_far_it_is(spec, items, conditions, cells):
    one = {"kind": "ImageTag", "metadata": {"name": "app:x"}, "spec": spec, "status": None, "image": None}
    if items or conditions:
        one["status"] = {"tag": "x", "items": items or None, "conditions": conditions}
    assert printing.row(one, NOW)[1:4] == cells


def test_an_image_tag_was_updated_when_its_import_failed_last():
    status = {"tag": "x", "items": [event(AA)], "conditions": FAILED}
    one = {"kind": "ImageTag", "metadata": {"name": "app:x"}, "spec": None, "status": status}
    assert printing.row(one, NOW)[4] == "Less than a second ago"
