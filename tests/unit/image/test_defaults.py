import copy

import pytest

from tests.unit.image.streams import AA, event, stream, tag
from webhook.image import defaults


def test_a_bare_tag_gets_both_policies():
    given = {"metadata": {"name": "app"}, "spec": {"tags": [{"name": "x"}]}}
    after = defaults.stream(given, "Legacy")
    assert after["spec"] == {
        "lookupPolicy": {"local": False},
        "tags": [{"name": "x", "importPolicy": {"importMode": "Legacy"}, "referencePolicy": {"type": "Source"}}],
    }
    assert after["status"] == {}


def test_what_a_client_said_stays():
    said = {
        "name": "x",
        "importPolicy": {"importMode": "PreserveOriginal", "scheduled": True},
        "referencePolicy": {"type": "Local"},
    }
    assert defaults.tag_reference(said, "Legacy") == said


def test_what_says_nothing_is_left_out():
    given = {
        "name": "x",
        "annotations": None,
        "reference": False,
        "generation": 0,
        "importPolicy": {"insecure": False, "scheduled": False},
    }
    assert defaults.tag_reference(given, "Legacy") == {
        "name": "x",
        "generation": 0,
        "importPolicy": {"importMode": "Legacy"},
        "referencePolicy": {"type": "Source"},
    }
    assert "dockerImageRepository" not in defaults.stream({"spec": {"dockerImageRepository": ""}}, "Legacy")["spec"]


def test_an_empty_source_stays_so_that_it_can_be_refused():
    assert defaults.tag_reference({"name": "x", "from": {"kind": "", "name": ""}})["from"] == {}
    assert "from" not in defaults.tag_reference({"name": "x", "from": None})


def test_the_import_mode_of_the_server_is_the_default():
    assert defaults.tag_reference({"name": "x"}, "PreserveOriginal")["importPolicy"]["importMode"] == "PreserveOriginal"


def test_defaulting_a_stream_twice_changes_nothing_and_mutates_nothing():
    given = {"spec": {"tags": [{"name": "b"}, {"name": "a"}, {"name": "b", "reference": True}]}}
    before = copy.deepcopy(given)
    once = defaults.stream(given, "Legacy")
    assert defaults.stream(once, "PreserveOriginal") == once
    assert [one["name"] for one in once["spec"]["tags"]] == ["a", "b"]
    assert given == before


@pytest.mark.parametrize(
    ("image", "target"),
    [
        pytest.param({"from": {"name": "quay.io/acme/app:1"}}, {"name": "1"}, id="an explicit tag"),
        pytest.param({"from": {"name": "quay.io/acme/app"}}, None, id="no tag"),
        pytest.param({"from": {"name": f"quay.io/acme/app@{AA}"}}, None, id="only a digest"),
        pytest.param({"from": {"name": f"quay.io/acme/app:1@{AA}"}}, {"name": "1"}, id="tag and digest"),
        pytest.param({"from": {"name": "a:1"}, "to": {"name": "x"}}, {"name": "x"}, id="a target that was named"),
        pytest.param({"from": {"name": "a:1"}, "to": {"name": ""}}, {"name": ""}, id="a target named emptily"),
        pytest.param({"from": {"name": "Not A Reference"}}, None, id="an unreadable name"),
        pytest.param({}, None, id="no source"),
    ],
)
def test_an_import_goes_to_the_tag_of_its_source(image, target):
    request = defaults.import_request({"spec": {"images": [image]}}, "Legacy")
    assert request["spec"]["images"][0].get("to") == target


def test_an_import_request_gets_policies_everywhere():
    request = defaults.import_request(
        {"spec": {"images": [{"includeManifest": False}], "repository": {"from": {"name": "a", "namespace": ""}}}},
        "Legacy",
    )
    policies = {"importPolicy": {"importMode": "Legacy"}, "referencePolicy": {"type": "Source"}}
    assert request["spec"] == {
        "import": False,
        "images": [{"from": {}, **policies}],
        "repository": {"from": {"name": "a"}, **policies},
    }


@pytest.mark.parametrize("wrap", [defaults.stream_tag, defaults.image_tag])
def test_a_view_without_a_tag_keeps_none(wrap):
    key = "tag" if wrap is defaults.stream_tag else "spec"
    assert wrap({"metadata": {}})[key] is None
    assert wrap({key: {"name": "x"}})[key]["referencePolicy"] == {"type": "Source"}


BLANK = {
    "kind": "DockerImage",
    "apiVersion": "image.openshift.io/1.0",
    "Id": "",
    "Created": None,
    "ContainerConfig": {},
}


def test_a_blank_image_has_blank_metadata():
    image = defaults.image({"metadata": {"name": AA}})
    assert image["dockerImageMetadata"] == BLANK
    assert image["dockerImageMetadataVersion"] == "1.0"


def test_only_known_keys_of_the_metadata_are_kept_in_their_own_case():
    given = {
        "kind": "Other",
        "Id": "abc",
        "id": "lower",
        "os": "linux",
        "Size": 0,
        "Config": {"Env": ["A=b"], "env": ["c"], "Healthcheck": {}, "Tty": False},
    }
    assert defaults.image({"dockerImageMetadata": given})["dockerImageMetadata"] == {
        **BLANK,
        "Id": "abc",
        "Config": {"Env": ["A=b"]},
    }


def test_output_shows_what_is_empty():
    shown = defaults.output({"metadata": {"name": "app"}, "spec": {"tags": [tag("x")]}})
    assert shown["spec"]["lookupPolicy"] == {"local": False}
    assert shown["status"] == {"dockerImageRepository": ""}
    assert {key: shown["spec"]["tags"][0][key] for key in ("annotations", "generation")} == {
        "annotations": None,
        "generation": None,
    }


def test_output_shows_an_entry_with_conditions_alone_as_null_items():
    given = {"status": {"tags": [{"tag": "x", "conditions": [{"type": "ImportSuccess"}]}]}}
    assert defaults.output(given)["status"]["tags"][0]["items"] is None


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        pytest.param("quay.io/acme/app:1", "quay.io/acme/app", id="a tag goes"),
        pytest.param(f"quay.io/acme/app@{AA}", "quay.io/acme/app", id="a digest goes"),
        pytest.param("quay.io/acme/app", "quay.io/acme/app", id="a repository stays"),
        pytest.param("Not A Reference", "Not A Reference", id="what cannot be read stays"),
    ],
)
def test_output_strips_repositories(stored, shown):
    after = defaults.output({"spec": {"dockerImageRepository": stored}})
    assert after["spec"]["dockerImageRepository"] == shown


def test_output_keeps_history():
    one = stream(history={"x": [event(AA)]})
    assert defaults.output(one)["status"]["tags"] == one["status"]["tags"]
