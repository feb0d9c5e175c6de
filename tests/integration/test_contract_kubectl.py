"""kubectl's own ways of previewing, waiting, watching, pruning and printing (api-server contract, checks 34 to 69)."""

from __future__ import annotations

import json
import threading

import pytest
import yaml

from tests.integration.api import STREAMS, Api, give, stream
from tests.integration.kubectl import Kubectl

DIGEST = "sha256:" + "c7" * 32
SOURCE = "quay.io/library/php"
pytestmark = pytest.mark.timeout(60)


def labeled(name: str, **labels: str) -> dict:
    body = stream(name)
    body["metadata"]["labels"] = labels
    return body


def documents(*bodies: dict) -> str:
    return yaml.safe_dump_all(bodies)


@pytest.fixture
def php(kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace with the stream php."""
    kubectl.ok("create", "-f", "-", given=labeled("php", lang="php"))
    return kubectl


def test_a_preview_by_the_server_has_a_uid_and_no_version_and_stores_nothing(kubectl):
    shown = json.loads(kubectl.ok("create", "-f", "-", "--dry-run=server", "-o", "json", given=stream("php")))
    assert shown["metadata"]["uid"]
    assert "resourceVersion" not in shown["metadata"]
    assert kubectl.ok("get", "is", "-o", "name") == ""


def test_creating_what_is_there_fails(php):
    done = php.run("create", "-f", "-", given=stream("php"))
    assert done.returncode == 1
    assert "Error from server (AlreadyExists)" in done.stderr


def test_a_preview_of_a_deletion_deletes_nothing(php):
    assert php.ok("delete", "is", "php", "--dry-run=server").endswith("deleted (server dry run)\n")
    assert php.ok("get", "is", "-o", "name") == "imagestream.image.openshift.io/php\n"


def test_only_what_is_selected_is_deleted(php):
    php.ok("create", "-f", "-", given=labeled("ruby", lang="ruby"))
    php.ok("delete", "is", "-l", "lang=ruby")
    assert php.ok("get", "is", "-o", "name") == "imagestream.image.openshift.io/php\n"


def test_applying_keeps_what_others_have_set_and_shows_the_difference_first(kubectl, tmp_path):
    wanted = tmp_path / "php.yaml"
    wanted.write_text(yaml.safe_dump(stream("php", tags=[{"name": "8.1"}, {"name": "8.2"}])))
    kubectl.ok("apply", "-f", str(wanted))
    kubectl.ok("patch", "is", "php", "-p", '{"spec":{"tags":[{"name":"mine"}]}}')
    before = kubectl.ok("get", "is", "php", "-o", "jsonpath={.metadata.resourceVersion}")
    changed = stream("php", tags=[{"name": "8.1", "annotations": {"old": "yes"}}, {"name": "8.2"}])
    wanted.write_text(yaml.safe_dump(changed))

    shown = kubectl.run("diff", "-f", str(wanted))
    assert (shown.returncode, shown.stderr) == (1, "")
    assert [line.split() for line in shown.stdout.splitlines() if " old:" in line] == [["+", "old:", '"yes"']]
    assert kubectl.ok("get", "is", "php", "-o", "jsonpath={.metadata.resourceVersion}") == before
    assert kubectl.ok("apply", "-f", str(wanted)).endswith("configured\n")
    assert kubectl.run("diff", "-f", str(wanted)).returncode == 0
    tags = json.loads(kubectl.ok("get", "is", "php", "-o", "json"))["spec"]["tags"]
    assert [tag.get("annotations") for tag in tags if tag["name"] == "8.1"] == [{"old": "yes"}]
    # kubectl before 1.28 merges only the lists of kinds that it has built in, and replaces all others.
    minor = int(json.loads(kubectl.ok("version", "--client", "-o", "json"))["clientVersion"]["minor"].rstrip("+"))
    assert [tag["name"] for tag in tags] == (["8.1", "8.2", "mine"] if minor >= 28 else ["8.1", "8.2"])


def test_applying_prunes_what_it_once_applied_and_no_longer_wants(kubectl):
    # kubectl before 1.26 has the flag under another name.
    flag = "--prune-allowlist" if "--prune-allowlist" in kubectl.ok("apply", "--help") else "--prune-whitelist"
    pruning = ("apply", "-f", "-", "-l", "app=shop", "--prune", f"{flag}=image.openshift.io/v1/ImageStream")
    both = documents(labeled("php", app="shop"), labeled("ruby", app="shop"))
    kubectl.ok("create", "-f", "-", given=labeled("other", app="shop"))
    assert "pruned" not in kubectl.ok(*pruning, given=both)
    assert "imagestream.image.openshift.io/ruby pruned" in kubectl.ok(*pruning, given=labeled("php", app="shop"))
    assert kubectl.ok("get", "is", "-o", "name").split() == [
        "imagestream.image.openshift.io/other",
        "imagestream.image.openshift.io/php",
    ]


def later(kubectl: Kubectl, *command: str) -> threading.Timer:
    """Run a command while another one waits for what it does."""
    timer = threading.Timer(0.3, kubectl.ok, command)
    timer.start()
    return timer


def test_waiting_ends_when_a_field_has_its_value(php):
    doing = later(php, "patch", "is", "php", "-p", '{"spec":{"lookupPolicy":{"local":true}}}')
    done = php.run("wait", "is/php", "--for=jsonpath={.spec.lookupPolicy.local}=true", "--timeout=30s")
    doing.join()
    # kubectl before 1.23 waits for conditions only, and says so.
    assert (
        "unrecognized condition" in done.stderr or done.stdout == "imagestream.image.openshift.io/php condition met\n"
    )


def test_waiting_ends_when_the_object_is_gone(php):
    doing = later(php, "delete", "is", "php", "--wait=false")
    said = php.ok("wait", "is/php", "--for=delete", "--timeout=30s")
    doing.join()
    assert said == "imagestream.image.openshift.io/php condition met\n"


def test_deleting_waits_for_finalizers(php):
    php.ok("patch", "is", "php", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/audit"]}}')
    doing = later(php, "patch", "is", "php", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    php.ok("delete", "is", "php", "--timeout=30s")
    doing.join()
    assert php.ok("get", "is", "-o", "name") == ""


def test_a_watch_shows_what_is_there_once_and_then_each_change(php):
    watch = php.start("get", "is", "--watch", "--output-watch-events", "-o", "json")
    try:
        decoder, text = json.JSONDecoder(), ""

        def event() -> dict:
            nonlocal text
            while True:
                try:
                    found, end = decoder.raw_decode(text.lstrip())
                except json.JSONDecodeError:
                    text += watch.stdout.readline()
                else:
                    text = text.lstrip()[end:]
                    return found

        first = event()
        php.ok("label", "is", "php", "step=one")
        second = event()
        php.ok("delete", "is", "php")
        third = event()
    finally:
        watch.terminate()
        watch.communicate(timeout=10)
    assert [one["type"] for one in (first, second, third)] == ["ADDED", "MODIFIED", "DELETED"]
    assert first["object"]["kind"] == "ImageStream"
    assert second["object"]["metadata"]["labels"] == {"lang": "php", "step": "one"}


def test_a_watch_of_one_object_shows_it_once(php):
    watch = php.start("get", "is", "php", "--watch", "--no-headers", "-o", "custom-columns=L:.metadata.labels.step")
    try:
        first = watch.stdout.readline().strip()
        php.ok("label", "is", "php", "step=one")
        second = watch.stdout.readline().strip()
    finally:
        watch.terminate()
        watch.communicate(timeout=10)
    assert (first, second) == ("<none>", "one")


@pytest.mark.parametrize(
    ("flags", "header"),
    [
        (("is",), "NAME IMAGE REPOSITORY TAGS UPDATED"),
        (("is", "-o", "wide"), "NAME IMAGE REPOSITORY TAGS UPDATED"),
        (("is", "php"), "NAME IMAGE REPOSITORY TAGS UPDATED"),
        (("is", "-L", "lang"), "NAME IMAGE REPOSITORY TAGS UPDATED LANG"),
        (("is", "-A"), "NAMESPACE NAME IMAGE REPOSITORY TAGS UPDATED"),
        (("is", "--sort-by=.metadata.name"), "NAME IMAGE REPOSITORY TAGS UPDATED"),
        (("is", "--show-labels"), "NAME IMAGE REPOSITORY TAGS UPDATED LABELS"),
        (("istag",), "NAME IMAGE REFERENCE UPDATED"),
        (("itag",), "NAME SPEC STATUS"),
        (("isimage", f"php@{DIGEST}"), "NAME UPDATED"),
        (("isimage", f"php@{DIGEST}", "-o", "wide"), "NAME UPDATED IMAGE REFERENCE IMAGE NAME"),
        (("images",), "NAME IMAGE REFERENCE"),
    ],
)
def test_kubectl_prints_tables(php, api, namespace, flags, header):
    give(api, namespace, "php", "8.2", SOURCE, DIGEST)
    assert " ".join(php.ok("get", *flags).splitlines()[0].split()).startswith(header)


def test_sorting_and_prefixes_work_over_several_kinds(php, api, namespace):
    give(api, namespace, "php", "8.2", SOURCE, DIGEST)
    php.ok("create", "-f", "-", given=stream("node"))
    names = [line.split()[0] for line in php.ok("get", "is", "--sort-by=.metadata.name", "--no-headers").splitlines()]
    several = php.ok("get", "is,istag", "--no-headers")
    assert names == ["node", "php"]
    assert [line.split()[0] for line in several.splitlines() if line] == [
        "imagestream.image.openshift.io/node",
        "imagestream.image.openshift.io/php",
        "imagestreamtag.image.openshift.io/php:8.2",
    ]


def test_everything_of_a_namespace_includes_its_streams(php):
    assert "imagestream.image.openshift.io/php" in php.ok("get", "all")


def test_a_long_list_is_read_in_pages(api: Api, kubectl, namespace):
    for number in range(7):
        api.post(STREAMS.format(namespace), stream(f"s{number}"))
    assert len(kubectl.ok("get", "is", "--chunk-size=3", "-o", "name").splitlines()) == 7


def test_a_finalizer_shows_in_what_is_described(php):
    php.ok("annotate", "is", "php", "openshift.io/display-name=PHP")
    text = php.ok("describe", "is/php")
    assert "Annotations:  openshift.io/display-name: PHP" in text
    assert "Labels:       lang=php" in text


def test_kubectl_reads_a_stream_as_yaml_and_writes_it_back(php):
    text = php.ok("get", "is", "php", "-o", "yaml")
    assert php.ok("replace", "-f", "-", given=text) == "imagestream.image.openshift.io/php replaced\n"


def test_kubectl_sets_and_shows_what_was_applied_last(kubectl):
    kubectl.ok("apply", "-f", "-", given=stream("php"))
    assert yaml.safe_load(kubectl.ok("apply", "view-last-applied", "is", "php"))["kind"] == "ImageStream"
