"""What registries say when somebody pushes, each in its own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.distribution.notifications import Push, UnknownFormat, named, of_reference, pushes
from webhook.image.reference import parse

DIGEST = "sha256:" + "4b" * 32


def event(action="push", repository="team/app", tag="1.2", host="registry.example.com:5000", **target):
    found = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "repository": repository, "digest": DIGEST}
    return {
        "id": "1",
        "action": action,
        "target": {**found, **({"tag": tag} if tag else {}), **target},
        "request": {"host": host, "method": "PUT"} if host else {},
    }


def harbor(type_="PUSH_ARTIFACT", url="harbor.example.com/team/app:1.2", tag="1.2", key="event_data"):
    resource = {"digest": DIGEST, "tag": tag, "resource_url": url}
    return {"type": type_, key: {"resources": [resource], "repository": {"repo_full_name": "team/app"}}}


HUB = {"push_data": {"tag": "1.2", "pusher": "anna"}, "repository": {"repo_name": "team/app", "status": "Active"}}
APP = ("team/app", "1.2")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"events": [event()]}, {("registry.example.com:5000", *APP)}, id="a push to a docker-registry"),
        pytest.param(
            {"events": [event(), event(tag="1.3"), event()]},
            {("registry.example.com:5000", "team/app", "1.2"), ("registry.example.com:5000", "team/app", "1.3")},
            id="several pushes, one of them twice",
        ),
        pytest.param(
            {"events": [event(host="Registry.Example.com:443")]}, {("registry.example.com", *APP)}, id="port 443"
        ),
        pytest.param(
            {"events": [event(host="", url="http://127.0.0.1:5000/v2/team/app/manifests/1")]},
            {("127.0.0.1:5000", *APP)},
            id="no host, but an address",
        ),
        pytest.param({"events": [event("pull"), event("delete"), event("mount")]}, set(), id="what is no push"),
        pytest.param({"events": [event(tag="")]}, set(), id="a layer, or an image of a list"),
        pytest.param({"events": []}, set(), id="nothing"),
        pytest.param({"events": None}, set(), id="events that are none"),
        pytest.param({"events": [{"action": "push", "target": 3, "request": []}]}, set(), id="odd shapes"),
        pytest.param(harbor(), {("harbor.example.com", *APP)}, id="a push to Harbor"),
        pytest.param(
            {"specversion": "1.0", **harbor("harbor.artifact.pushed", key="data")},
            {("harbor.example.com", *APP)},
            id="a push to Harbor, told as a CloudEvent",
        ),
        pytest.param(harbor("DELETE_ARTIFACT"), set(), id="a deletion in Harbor"),
        pytest.param(harbor(url="no reference at all"), set(), id="an address of Harbor that is none"),
        pytest.param(
            harbor(url=f"harbor.example.com/team/app@{DIGEST}", tag=""), set(), id="an image without a tag in Harbor"
        ),
        pytest.param(HUB, {("docker.io", *APP)}, id="a push to Docker Hub"),
        pytest.param(
            {**HUB, "repository": {"repo_name": "php"}}, {("docker.io", "library/php", "1.2")}, id="an official image"
        ),
    ],
)
def test_the_pushed_tags_are_read(body, expected):
    assert pushes(body) == expected


@pytest.mark.parametrize("body", [None, [], "events", 3, {}, {"kind": "Pod"}])
def test_anything_else_is_no_notification(body):
    with pytest.raises(UnknownFormat):
        pushes(body)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("php", ("docker.io", "library/php", "latest")),
        ("docker.io/php:8", ("docker.io", "library/php", "8")),
        ("index.docker.io/library/php:8", ("docker.io", "library/php", "8")),
        ("registry-1.docker.io/team/app:1", ("docker.io", "team/app", "1")),
        ("team/app:1.2", ("docker.io", *APP)),
        ("Registry.example.com:443/team/app:1.2", ("registry.example.com", *APP)),
        ("registry.example.com:5000/a/b/c:1", ("registry.example.com:5000", "a/b/c", "1")),
    ],
)
def test_every_spelling_of_an_image_is_one_push(spelling, expected):
    assert of_reference(parse(spelling)) == Push(*expected)


def test_a_registry_may_have_several_names():
    assert named(Push("10.0.0.1:5000", *APP), "registry.example.com") == Push("registry.example.com", *APP)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["push", DIGEST, "[::1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "events",
                        "event_data",
                        "data",
                        "type",
                        "specversion",
                        "push_data",
                        "repository",
                        "repo_name",
                        "tag",
                    ),
                    *("action", "target", "request", "host", "url", "resources", "resource_url"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values | st.builds(lambda target: {"events": [{"action": "push", "target": target}]}, json_values))
def test_any_json_is_a_set_of_tags_or_an_unknown_format(body):
    try:
        found = pushes(body)
    except UnknownFormat:
        return
    assert all(isinstance(part, str) and part for push in found for part in push)
