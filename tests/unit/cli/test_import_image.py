"""`imagestreams import` against an API: what is sent, printed, and how it fails."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.unit.kube.conftest import api
from webhook.cli.main import main

__all__ = ["api"]

DIGEST = "sha256:" + "4b" * 32
BASE = "/apis/image.openshift.io/v1/namespaces/demo"
STREAM, IMPORTS, SECRETS = (
    f"{BASE}/{one}" for one in ("imagestreams/php", "imagestreamimports", "imagestreams/php/secrets")
)
MISSING = (
    404,
    {"kind": "Status", "code": 404, "reason": "NotFound", "message": "x", "details": {"kind": "imagestreams"}},
)
CONFLICT = (409, {"kind": "Status", "code": 409, "reason": "Conflict", "message": "the image stream was updated"})
REFUSED = {"status": "Failure", "reason": "Unauthorized", "message": "you may not have access"}


@pytest.fixture
def run(api, capsys):
    """Runs `imagestreams import` in the namespace demo: exit code, output, errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["import", *arguments, "--server", api.server, "-n", "demo"])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def stream(*names, version="7", local=True):
    tags = [{"name": name, "from": {"kind": "DockerImage", "name": f"quay.io/acme/php:{name}"}} for name in names]
    meta = {"name": "php", "namespace": "demo", "resourceVersion": version}
    return {"kind": "ImageStream", "metadata": meta, "spec": {"lookupPolicy": {"local": local}, "tags": tags}}


def answer(*names, failed=(), version="8", local=True):
    """The answer to an import of these tags; it is nested in the stream as it is afterwards."""
    good = {"status": {"status": "Success"}, "image": {"metadata": {"name": DIGEST}}}
    stored = {key: value for key, value in stream(*names, version=version, local=local).items() if key != "kind"}
    spec = [{"from": {"name": f"quay.io/acme/php:{name}"}, "to": {"name": name}} for name in names]
    results = [{"status": REFUSED} if name in failed else good for name in names]
    meta = {"name": "php", "namespace": "demo"}
    kinds = {"kind": "ImageStreamImport", "apiVersion": "image.openshift.io/v1", "metadata": meta}
    return 201, {**kinds, "spec": {"images": spec}, "status": {"images": results, "import": stored}}


def sent(api):
    return [json.loads(one["body"]) for one in api.requests if one["method"] == "POST"]


def test_an_import_prints_a_table_and_the_next_command(api, run):
    api.expect("GET", STREAM, (200, stream("8.2")))
    api.expect("POST", IMPORTS, answer("8.2"))
    code, out, err = run("php:8.2")
    assert (code, err) == (0, "next: kubectl get imagestreamtag php:8.2 -n demo\n")
    assert out.splitlines()[1].split() == ["8.2", "quay.io/acme/php:8.2", "sha256:4b4b4b4b4b4b", "-", "-", "imported"]
    assert sent(api)[0]["metadata"]["resourceVersion"] == "7"


def test_a_stream_without_local_lookup_is_told_of_it(api, run):
    api.expect("GET", STREAM, (200, stream("8.2", local=False)))
    api.expect("POST", IMPORTS, answer("8.2", local=False))
    _, _, err = run("php:8.2")
    assert err.startswith('next: kubectl patch imagestream php -n demo --type merge -p \'{"spec":')


def test_a_missing_stream_is_created_when_confirmed(api, run):
    api.expect("GET", STREAM, MISSING, MISSING)
    api.expect("POST", IMPORTS, answer("8.2"))
    assert run("php:8.2", "--from", "quay.io/acme/php:8.2")[::2] == (
        1,
        "imagestreams: there is no image stream php: add --confirm to create it\n",
    )
    assert run("php:8.2", "--from", "quay.io/acme/php:8.2", "--confirm", "--scheduled")[0] == 0
    assert "resourceVersion" not in sent(api)[0]["metadata"]
    assert sent(api)[0]["spec"]["images"][0]["importPolicy"] == {"scheduled": True}


def test_many_tags_are_asked_for_in_groups_and_each_answer_is_told(api, run):
    names = [f"8.{number}" for number in range(7)]
    api.expect("GET", STREAM, (200, stream(*names)))
    api.expect("POST", IMPORTS, answer(*names[:5]), answer(*names[5:], version="9"))
    code, out, err = run("php", "--all")
    assert code == 0
    assert [one["metadata"]["resourceVersion"] for one in sent(api)] == ["7", "8"], "each builds on the one before"
    assert len(out.splitlines()) == 8
    assert err.splitlines()[:2] == [
        "php:8.0 from quay.io/acme/php:8.0: imported",
        "php:8.1 from quay.io/acme/php:8.1: imported",
    ]


def test_a_stream_that_changed_meanwhile_is_read_again(api, run):
    api.expect("GET", STREAM, (200, stream("8.2")), (200, stream("8.2", version="12")))
    api.expect("POST", IMPORTS, CONFLICT, answer("8.2"))
    assert run("php:8.2")[0] == 0
    assert [one["metadata"]["resourceVersion"] for one in sent(api)] == ["7", "12"]


def test_a_busy_server_is_asked_again(api, run):
    busy = {"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "try again later"}
    api.expect("GET", STREAM, (200, stream("8.2")))
    api.expect("POST", IMPORTS, (429, {**busy, "details": {"retryAfterSeconds": 0}}), answer("8.2"))
    assert run("php:8.2")[0] == 0


def test_a_stream_that_never_holds_still_is_a_failure(api, run):
    api.expect("GET", STREAM, *[(200, stream("8.2"))] * 5)
    api.expect("POST", IMPORTS, *[CONFLICT] * 5)
    assert run("php:8.2")[::2] == (1, "imagestreams: the server answered: the image stream was updated\n")


def test_a_failure_names_host_repository_and_the_secret(api, run):
    api.expect("GET", STREAM, (200, stream("8.2")))
    api.expect("POST", IMPORTS, answer("8.2", failed=["8.2"]))
    api.expect("GET", SECRETS, (200, {"kind": "SecretList", "items": []}))
    code, out, err = run("php:8.2")
    assert code == 1
    assert out.splitlines()[1].endswith("failed: Unauthorized")
    assert err == (
        "imagestreams: php:8.2 could not be imported: quay.io, repository acme/php: you may not have access;"
        " no pull secret of namespace demo is for this repository\n"
    )


def test_secrets_are_not_named_where_nobody_asked_for_a_password(api, run):
    refused = {"status": "Failure", "reason": "InternalError", "message": 'Get "https://quay.io/v2/": no such host'}
    code, body = answer("8.2", failed=["8.2"])
    body["status"]["images"] = [{"status": refused}]
    api.expect("GET", STREAM, (200, stream("8.2")))
    api.expect("POST", IMPORTS, (code, body))
    api.expect("GET", SECRETS, (200, {"kind": "SecretList", "items": []}))
    assert run("php:8.2")[2].endswith('repository acme/php: Get "https://quay.io/v2/": no such host\n')


def test_a_source_that_is_a_registry_alone_has_no_repository_to_name(api, run):
    code, body = answer("8.2", failed=["8.2"])
    body["spec"]["images"][0]["from"]["name"] = "my.registry"
    api.expect("GET", STREAM, (200, stream("8.2")))
    api.expect("POST", IMPORTS, (code, body))
    api.expect("GET", SECRETS, (200, {"kind": "SecretList", "items": []}))
    assert "php:8.2 could not be imported: my.registry: you may not have access" in run("php:8.2")[2]


def test_several_failures_are_listed_and_secrets_need_not_be_readable(api, run):
    api.expect("GET", STREAM, (200, stream("8.1", "8.2", "8.3")))
    api.expect("POST", IMPORTS, answer("8.1", "8.2", "8.3", failed=["8.1", "8.2"]))
    forbidden = (403, {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "secrets are forbidden"})
    api.expect("GET", SECRETS, forbidden)
    api.expect("GET", "/api/v1/namespaces/demo/secrets", forbidden)
    _, _, err = run("php", "--all")
    assert "imagestreams: 2 of 3 tags of php could not be imported\n  php:8.1 could not be imported: quay.io," in err
    assert err.count("; which pull secret was tried cannot be said: secrets are forbidden\n") == 2


def test_a_dry_run_asks_once_and_stores_nothing(api, run):
    names = [f"8.{number}" for number in range(7)]
    code, preview = answer(*names)
    del preview["status"]["import"]
    api.expect("GET", STREAM, (200, stream(*names)))
    api.expect("POST", IMPORTS, (code, preview))
    code, out, err = run("php", "--all", "--dry-run")
    assert (code, err, out.count("would be imported")) == (0, "", 7)
    assert [one["spec"]["import"] for one in sent(api)] == [False]


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("json", lambda out: json.loads(out)["kind"]),
        ("yaml", lambda out: yaml.safe_load(out)["kind"]),
        ("name", str.strip),
    ],
)
def test_programs_get_the_stream(api, run, form, read):
    api.expect("GET", STREAM, (200, stream("8.2")))
    api.expect("POST", IMPORTS, answer("8.2"))
    _, out, _ = run("php:8.2", "-o", form)
    assert read(out) == ("imagestream.image.openshift.io/php" if form == "name" else "ImageStream")


@pytest.mark.parametrize(
    ("policy", "flag"),
    [pytest.param({}, "", id="with TLS"), pytest.param({"insecure": True}, " --insecure", id="without")],
)
def test_what_a_repository_has_beyond_the_limit_is_told(api, run, policy, flag):
    repository = {"images": [], "additionalTags": ["a", "b", "c", "d", "e", "f"], "status": {"status": "Success"}}
    _, body = answer()
    body["spec"] = {"repository": {"from": {"name": "quay.io/acme/php"}, "importPolicy": policy}}
    body["status"]["repository"] = repository
    api.expect("GET", STREAM, (200, stream()))
    api.expect("POST", IMPORTS, (201, body))
    _, _, err = run("php", "--all", "--from", "quay.io/acme/php", "--confirm")
    assert err == (
        "6 more tags of quay.io/acme/php were not imported: a, b, c, d, e, …\n"
        f"next: imagestreams import php:a --from quay.io/acme/php:a{flag} -n demo\n"
    )


def test_a_server_without_the_image_api_is_told_from_a_missing_stream(api, run):
    api.expect("GET", STREAM, (404, b"404 page not found\n"))
    assert "does not serve image.openshift.io; start a server that does" in run("php")[2]


def test_a_server_that_is_not_there_is_one_sentence(capsys):
    with pytest.raises(SystemExit):
        main(["import", "php", "--server", "http://127.0.0.1:1"])
    err = capsys.readouterr().err
    assert "Connection refused; see that it runs, at this address" in err
    assert err.count("\n") == 1
