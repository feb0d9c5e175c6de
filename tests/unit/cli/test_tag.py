"""`imagestreams tag` against an API: what is sent, printed, and how it fails."""

from __future__ import annotations

import json

import pytest

from tests.unit.kube.conftest import api
from webhook.cli.main import main

__all__ = ["api"]

DIGEST = "sha256:" + "4b" * 32
NAMESPACES = "/apis/image.openshift.io/v1/namespaces"
TAGS = f"{NAMESPACES}/demo/imagestreamtags"
STREAM = {"metadata": {"name": "php"}, "status": {"tags": [{"tag": "8.2", "items": [{"image": DIGEST}]}]}}
DONE = (200, {"kind": "ImageStreamTag", "apiVersion": "image.openshift.io/v1", "metadata": {"name": "php:prod"}})


def status(code, reason, **details):
    body = {"kind": "Status", "code": code, "reason": reason, "message": f"{reason} it is", "details": details}
    return code, body


@pytest.fixture
def run(api, capsys):
    """Runs `imagestreams tag` in the namespace demo: exit code, output, errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["tag", *arguments, "--server", api.server, "-n", "demo"])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def sent(api):
    return [
        (one["method"], one["path"], json.loads(one["body"])["tag"]["from"])
        for one in api.requests
        if one["method"] in ("PUT", "POST")
    ]


def test_a_tag_of_a_stream_is_copied_as_the_image_it_has(api, run):
    api.expect("GET", f"{NAMESPACES}/demo/imagestreams/php", (200, STREAM))
    api.expect("PUT", f"{TAGS}/php:prod", DONE)
    assert run("php:8.2", "php:prod") == (0, f"Tag php:prod set to demo/php@{DIGEST}.\n", "")
    origin = {"kind": "ImageStreamImage", "name": f"php@{DIGEST}", "namespace": "demo"}
    assert sent(api) == [("PUT", f"{TAGS}/php:prod", origin)]


def test_an_alias_follows_the_tag_itself(api, run):
    api.expect("PUT", f"{TAGS}/php:prod", DONE)
    assert run("php:8.2", "php:prod", "--alias")[1] == "Tag php:prod set up to track demo/php:8.2.\n"
    assert sent(api)[0][2] == {"kind": "ImageStreamTag", "name": "php:8.2", "namespace": "demo"}


def test_a_tag_that_does_not_exist_is_made_in_each_destination(api, run):
    for namespace in ("demo", "shop"):
        api.expect("PUT", f"{NAMESPACES}/{namespace}/imagestreamtags/php:prod", status(404, "NotFound", kind="x"))
        api.expect("POST", f"{NAMESPACES}/{namespace}/imagestreamtags", DONE)
    code, out, err = run("quay.io/acme/php:8.2", "php:prod", "shop/php:prod", "--scheduled")
    assert code == 0
    assert out == (
        "Tag php:prod set to import quay.io/acme/php:8.2 periodically.\n"
        "Tag shop/php:prod set to import quay.io/acme/php:8.2 periodically.\n"
    )
    assert err == "next: kubectl get imagestreamtag php:prod -n demo  # once it is imported\n"
    assert [one[0] for one in sent(api)] == ["PUT", "POST", "PUT", "POST"]


def test_a_conflict_is_tried_again(api, run):
    api.expect("PUT", f"{TAGS}/php:prod", status(409, "Conflict"), status(409, "Conflict"), DONE)
    assert run("php:8.2", "php:prod", "--alias")[0] == 0


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        pytest.param(status(422, "Invalid"), None, "Invalid it is", id="refused"),
        pytest.param(status(403, "Forbidden"), status(403, "Forbidden"), "Forbidden it is", id="forbidden both ways"),
        pytest.param(status(403, "Forbidden"), status(409, "AlreadyExists"), "Forbidden it is", id="may only be made"),
        pytest.param(status(404, "NotFound"), status(422, "Invalid"), "Invalid it is", id="cannot be made"),
    ],
)
def test_what_the_server_refuses_is_said(api, run, first, second, says):
    api.expect("PUT", f"{TAGS}/php:prod", first)
    if second:
        api.expect("POST", TAGS, second)
    assert run("php:8.2", "php:prod", "--alias") == (1, "", f"imagestreams: the server answered: {says}\n")


def test_tags_are_deleted(api, run):
    api.expect("DELETE", f"{TAGS}/php:8.1", (200, {"kind": "Status"}))
    api.expect("DELETE", f"{NAMESPACES}/shop/imagestreamtags/php:8", (200, {"kind": "Status"}))
    out = "Deleted tag demo/php:8.1.\nDeleted tag shop/php:8.\n"
    assert run("-d", "php:8.1", "shop/php:8") == (0, out, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["php:8.2"], "give a SOURCE and at least one DEST", id="no destination"),
        pytest.param(["php:8.2", "php"], "php must be of the form", id="no tag"),
        pytest.param(["php:8.2", "-d", "--alias"], "--alias and --delete exclude each other", id="alias and delete"),
        pytest.param(["php:8.2", "-d", "--scheduled"], "--delete takes nothing but", id="schedule and delete"),
        pytest.param(["php:8.2", "a:1", "--scheduled"], "are for container images", id="schedule and a stream"),
        pytest.param(["php:8.2", "a:1", "--context", "c"], "--context says where the server is, as", id="two servers"),
    ],
)
def test_wrong_usage_is_one_sentence(run, arguments, says):
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_a_source_that_is_not_there_is_said(api, run):
    api.expect("GET", f"{NAMESPACES}/demo/imagestreams/php", status(404, "NotFound", kind="imagestreams"))
    assert run("php:8.2", "php:prod")[2] == f"imagestreams: there is no image stream demo/php on {api.server}\n"


def test_programs_get_the_tag(api, run):
    api.expect("PUT", f"{TAGS}/php:prod", DONE)
    assert run("php:8.2", "php:prod", "--alias", "-o", "name")[1] == "imagestreamtag.image.openshift.io/php:prod\n"


def test_a_tag_without_an_image_is_no_wrong_usage(api, run):
    api.expect("GET", f"{NAMESPACES}/demo/imagestreams/php", (200, {"metadata": {"name": "php"}}))
    code, out, err = run("php:8.2", "php:prod")
    assert (code, out) == (1, "")
    assert "demo/php:8.2 has no image yet" in err
    assert "--help" not in err
