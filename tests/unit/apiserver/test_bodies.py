"""How objects are kept: what is spliced together is what encoding would have made."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.apiserver.api import Api, path, spec_tag, stream
from webhook.apiserver import bodies
from webhook.apiserver.bodies import Collected, Layout
from webhook.storage.store import Record, Update

KIND, VERSION = "ImageStream", "image.openshift.io/v1"
# What breaks splices: quotes, newlines, separators, and the very names that the layout looks for.
AWKWARD = st.sampled_from(
    ("resourceVersion", '"resourceVersion":""', '{"metadata":{"resourceVersion":"', "\n", "\u2028", "ключ", "}}", "\\")
)
TEXTS = AWKWARD | st.text()
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
OBJECTS = st.builds(
    lambda more, meta: {**more, "kind": KIND, "apiVersion": VERSION, "metadata": meta},
    st.dictionaries(TEXTS, VALUES, max_size=3),
    st.dictionaries(TEXTS, VALUES, max_size=3),
)


def same(obj):
    return obj


def decorated(obj):
    return {**obj, "status": {"shown": True}}


def undecorated(obj):
    return {key: value for key, value in obj.items() if key != "status"}


def layout(*rules, show=same, restore=same):
    return Layout(KIND, VERSION, rules, show, restore)


def record(value, rv=42):
    return Record("imagestreams", "shop", "php", rv, "", value)


def versioned(obj, rv=42):
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(rv)}}


@settings(max_examples=50)
@given(OBJECTS)
def test_any_object_comes_back_with_the_version_of_its_record(obj):
    one = layout()
    kept = record(one.encode(versioned(obj, 7)))

    assert json.loads(b"".join(one.shown(kept).whole())) == versioned(obj)
    assert one.stored(kept) == bodies.decode(kept) == versioned(obj)


@settings(max_examples=50)
@given(st.lists(OBJECTS, max_size=3))
def test_items_of_a_list_have_neither_kind_nor_version_of_the_api(objects):
    one = layout()
    records = [record(one.encode(obj), rv) for rv, obj in enumerate(objects, start=7)]

    listed = json.loads(b"".join(bodies.listed({"kind": "List"}, Collected(one, same, records))))

    expected = [versioned(obj, rv) for rv, obj in enumerate(objects, start=7)]
    for obj in expected:
        del obj["kind"], obj["apiVersion"]
    assert listed == {"kind": "List", "items": expected}


@settings(max_examples=50)
@given(OBJECTS)
def test_objects_made_for_an_answer_are_listed_in_the_same_way(obj):
    one = layout()
    kept = Collected(one, same, [record(one.encode(obj))])

    listed = [json.loads(b"".join(bodies.listed({"kind": "List"}, items))) for items in (kept, [versioned(obj)])]

    assert listed[0] == listed[1]


@settings(max_examples=50)
@given(OBJECTS)
def test_what_is_shown_under_other_rules_is_made_anew(obj):
    before, now = layout("quiet"), layout("loud", show=decorated, restore=undecorated)

    kept = record(before.encode(obj))

    assert now.shown(kept).decoded() == versioned(decorated(obj))
    assert now.stored(kept) == versioned(undecorated(obj))


def test_what_cannot_be_found_again_in_what_is_shown_is_kept_as_it_is():
    one = layout(show=decorated, restore=undecorated)
    odd = {"kind": KIND, "apiVersion": VERSION, "metadata": {"name": "php"}, "status": {"mine": 1}}

    kept = record(one.encode(odd))

    assert one.stored(kept) == versioned(odd)
    assert one.shown(kept).decoded() == versioned(decorated(odd))


def test_values_of_earlier_versions_of_the_server_are_read():
    one = layout("v1", show=decorated, restore=undecorated)
    old = {"metadata": {"name": "php"}, "kind": KIND, "apiVersion": VERSION}

    kept = record(msgspec.json.encode(old))

    assert one.stored(kept) == versioned(old)
    assert one.shown(kept).decoded() == versioned(decorated(old))


def test_a_read_under_the_same_rules_decodes_and_decorates_nothing():
    shows = []
    one = layout(show=lambda obj: shows.append(obj) or obj)
    kept = record(one.encode({"kind": KIND, "apiVersion": VERSION, "metadata": {"name": "php"}}))
    shows.clear()

    one.shown(kept).whole()
    one.items([kept], same)

    assert shows == []


def test_a_server_with_other_settings_shows_nothing_stale(serve):
    first = serve(integrated_registry="old.example.com:5000")
    first.create("php", spec_tag("8.2", "quay.io/acme/php:8.2"))

    second = serve(integrated_registry="new.example.com:5000", public_registry="public.example.com")
    listed = second.get(path("imagestreams"))["items"][0]

    expected = {
        "dockerImageRepository": "new.example.com:5000/shop/php",
        "publicDockerImageRepository": "public.example.com/shop/php",
    }
    assert second.stream()["status"] == listed["status"] == expected


@pytest.mark.parametrize("chosen", [{}, {"integrated_registry": ""}, {"public_registry": "public.example.com"}])
def test_the_next_write_brings_a_stream_up_to_the_settings(serve, store, chosen):
    serve(integrated_registry="old.example.com:5000").create("php", spec_tag("8.2", "quay.io/acme/php:8.2"))
    api = serve(**chosen)

    api.patch(path("imagestreams", "php"), {"metadata": {"labels": {"lang": "php"}}})

    kept = store.get("imagestreams.image.openshift.io", "shop", "php")
    assert json.loads(kept.value.partition(b"\n")[2])["status"] == api.stream()["status"]


def test_a_status_with_a_repository_of_its_own_is_shown_only_by_the_status(api: Api):
    made = api.create("php")
    given = {**made, "status": {"dockerImageRepository": "elsewhere.example.com/shop/php"}}

    api.put(path("imagestreams", "php") + "/status", given)

    assert api.get(path("imagestreams", "php") + "/status")["status"] == given["status"]
    assert api.stream()["status"] == made["status"]


def test_a_stream_that_the_store_was_given_by_somebody_else_is_read(api: Api, store):
    api.create("php")
    key = "imagestreams.image.openshift.io"
    kept = store.get(key, "shop", "php")
    foreign = {**stream("php", spec_tag("8.2")), "metadata": {"name": "php", "namespace": "shop", "uid": kept.uid}}
    store.commit([Update(key, "shop", "php", json.dumps(foreign).encode(), kept.rv)])

    assert [one["name"] for one in api.stream()["spec"]["tags"]] == ["8.2"]
