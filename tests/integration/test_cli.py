"""`imagestreams import` and `imagestreams tag` against a real server and a real registry."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from demo.registry_images import catalogue
from tests.integration.api import STREAMS
from tests.integration.servers import READER
from tests.integration.test_import import pull_secret
from webhook.cli.main import main

IMAGES = catalogue()["library/php"]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run(server, namespace, capsys):
    """Runs the command in the test's namespace."""

    def run(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--kubeconfig", str(server.kubeconfig), "-n", namespace])
        printed = capsys.readouterr()
        return Outcome(ended.value.code, printed.out, printed.err)

    return run


def test_import_and_tag_make_move_and_delete_tags(run, api, registry, namespace):
    source = f"{registry.address}/library/php"
    assert "add --confirm to create it" in run("import", "php:8.2", "--from", f"{source}:8.2").err
    made = run("import", "php:8.2", "--from", f"{source}:8.2", "--confirm", "--insecure")
    assert (made.code, made.out.splitlines()[1].split()[2]) == (0, IMAGES["8.2"].digest[:19])
    assert run("import", "php:8.2").out.endswith("unchanged\n")
    assert run("tag", "php:8.2", "php:prod").out == f"Tag php:prod set to {namespace}/php@{IMAGES['8.2'].digest}.\n"
    assert run("tag", "php:8.2", "php:stable", "--alias").code == 0
    assert run("tag", f"{source}:8.1", "php:8.1", "--insecure").code == 0
    assert run("import", "php:8.1").code == 0
    assert run("tag", "php:prod", "-d").out == f"Deleted tag {namespace}/php:prod.\n"
    status = api.get(f"{STREAMS.format(namespace)}/php").json["status"]
    assert {one["tag"]: one["items"][0]["image"] for one in status["tags"]} == {
        "8.1": IMAGES["8.1"].digest,
        "8.2": IMAGES["8.2"].digest,
        "stable": IMAGES["8.2"].digest,
    }


def test_a_whole_repository_is_imported_with_a_line_for_each_tag(run, registry):
    source = f"{registry.address}/library/php"
    first = run("import", "php", "--all", "--from", source, "--confirm", "--insecure")
    assert (first.code, len(first.out.splitlines())) == (0, 1 + len(IMAGES))
    again = run("import", "php", "--all")
    assert (again.code, again.out.count("unchanged")) == (0, len(IMAGES))


def test_a_failure_names_the_secret_that_was_tried(run, api, password_registry, namespace):
    source = f"{password_registry.address}/library/php:8.2"
    anonymous = run("import", "php:8.2", "--from", source, "--confirm", "--insecure")
    assert anonymous.code == 1
    assert f"{password_registry.address}, repository library/php: you may not have access" in anonymous.err
    assert f"no pull secret of namespace {namespace} is for this repository" in anonymous.err
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    assert api.post(secrets, pull_secret("wrong", password_registry.address, "reader:guess")).code == 201
    wrong = run("import", "php:8.2")
    assert wrong.err.endswith(f'; pull secret "wrong" of namespace {namespace} was tried\n')
    assert "guess" not in wrong.err
    api.call("DELETE", f"{secrets}/wrong")
    assert api.post(secrets, pull_secret("right", password_registry.address, READER)).code == 201
    assert run("import", "php:8.2").code == 0
