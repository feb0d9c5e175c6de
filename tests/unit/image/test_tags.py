import copy

from tests.unit.image.streams import AA, event, stream, tag
from webhook.image import tags


def test_of_two_tags_with_one_name_the_last_wins_and_the_rest_is_sorted():
    given = stream(tags=[tag("x", "quay.io/a:1"), tag("b", "quay.io/a:2"), tag("x", "quay.io/a:3")])
    found = tags.canonical(given)["spec"]["tags"]
    assert [(one["name"], one["from"]["name"]) for one in found] == [("b", "quay.io/a:2"), ("x", "quay.io/a:3")]


def test_tags_sort_by_their_bytes():
    given = stream(tags=[tag("b"), tag("B"), tag("10"), tag("é"), tag("9")])
    assert [one["name"] for one in tags.canonical(given)["spec"]["tags"]] == ["10", "9", "B", "b", "é"]


def test_an_empty_list_of_tags_disappears():
    given = stream(tags=[tag("x")])
    assert "tags" not in tags.without_spec_tag(given, "x")["spec"]


def test_a_spec_tag_is_replaced_or_added():
    given = stream(tags=[tag("b", "quay.io/a:1")])
    after = tags.with_spec_tag(tags.with_spec_tag(given, tag("b", "quay.io/a:2")), tag("a"))
    assert [(one["name"], (one.get("from") or {}).get("name")) for one in after["spec"]["tags"]] == [
        ("a", None),
        ("b", "quay.io/a:2"),
    ]


def test_removing_a_spec_tag_keeps_its_history():
    given = stream(tags=[tag("x")], history={"x": [event(AA)]})
    after = tags.without_spec_tag(given, "x")
    assert tags.spec_tag(after, "x") is None
    assert tags.status_tag(after, "x") == {"tag": "x", "items": [event(AA)]}


def test_removing_a_tag_removes_spec_and_history():
    after = tags.without_tag(stream(tags=[tag("x")], history={"x": [event(AA)]}), "x")
    assert (tags.spec_tags(after), tags.status_tags(after)) == ([], [])


def test_status_entries_that_say_nothing_are_dropped_on_request():
    given = tags.with_status_tags(
        stream(), [{"tag": "a", "items": None}, {"tag": "b", "items": None, "conditions": [{"type": "ImportSuccess"}]}]
    )
    assert [one["tag"] for one in tags.status_tags(tags.without_empty_status(given))] == ["b"]


def test_a_stream_without_spec_and_status_has_no_tags():
    assert (tags.spec_tags({}), tags.status_tags({"status": None}), tags.spec_tag({}, "x")) == ([], [], None)


def test_nothing_that_is_passed_in_changes():
    given = stream(tags=[tag("x"), tag("a")], history={"x": [event(AA)]})
    before = copy.deepcopy(given)
    tags.canonical(given)
    tags.without_tag(given, "x")
    tags.with_spec_tag(given, tag("y"))
    assert given == before
