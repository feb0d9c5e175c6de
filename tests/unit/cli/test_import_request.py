"""What an import asks of the server, for each state of a stream and each command line."""

from __future__ import annotations

import pytest

from webhook.cli import import_request
from webhook.cli.import_request import CannotImport, Plan, Wanted

PHP = "quay.io/acme/php"


def tag(name="8.2", source=f"{PHP}:8.2", kind="DockerImage", **more):
    origin = {"from": {"kind": kind, "name": source}} if source else {}
    return {"name": name, **origin, "importPolicy": {"importMode": "Legacy"}, **more}


def stream(*tags, repository="", insecure=False):
    annotations = {"openshift.io/image.insecureRepository": "true"} if insecure else {}
    spec = {"tags": list(tags)} | ({"dockerImageRepository": repository} if repository else {})
    return {"metadata": {"name": "php", "namespace": "demo", "annotations": annotations}, "spec": spec}


def wanted(tag="8.2", **more):
    return Wanted("php", tag, more.pop("target", "php"), **more)


def image(name, source, **policy):
    return {
        "from": {"kind": "DockerImage", "name": source},
        "to": {"name": name},
        "importPolicy": policy,
        "referencePolicy": {},
    }


@pytest.mark.parametrize(
    ("text", "every", "expected"),
    [
        pytest.param("php", False, ("php", "latest"), id="no tag is latest"),
        pytest.param("php:8.2", False, ("php", "8.2"), id="a tag"),
        pytest.param("php", True, ("php", ""), id="all tags"),
        pytest.param("my.app:1", False, ("my.app", "1"), id="a stream whose name has a dot"),
        pytest.param("quay.io/acme/php:8.2", False, ("php", "8.2"), id="a pull spec names stream and tag"),
    ],
)
def test_the_target_is_a_stream_and_a_tag(text, every, expected):
    assert import_request.target(text, every) == expected


@pytest.mark.parametrize(
    ("text", "every", "says"),
    [
        pytest.param("php@sha256:" + "0" * 64, False, "names one image, which does not change", id="a digest"),
        pytest.param("quay.io/acme/php@sha256:" + "0" * 64, False, "names one image", id="a digest of a registry"),
        pytest.param("php:8.2", True, "--all means all of them", id="a tag and all"),
        pytest.param(":8.2", False, "must be of the form STREAM", id="no stream"),
        pytest.param("quay.io//php", False, "is no image stream and no image", id="no reference"),
    ],
)
def test_other_targets_are_refused(text, every, says):
    with pytest.raises(CannotImport, match=says):
        import_request.target(text, every)


@pytest.mark.parametrize(
    ("one", "asked", "expected"),
    [
        pytest.param(
            None, wanted(confirm=True, source=f"{PHP}:8"), Plan("php", (image("8.2", f"{PHP}:8"),)), id="a new stream"
        ),
        pytest.param(
            None,
            wanted(confirm=True, target=f"{PHP}:8.2"),
            Plan("php", (image("8.2", f"{PHP}:8.2"),)),
            id="a new stream from the pull spec that names it",
        ),
        pytest.param(
            None,
            wanted("", confirm=True, every=True, source=PHP, insecure=True),
            Plan(
                "php",
                repository={
                    "from": {"kind": "DockerImage", "name": PHP},
                    "importPolicy": {"insecure": True},
                    "referencePolicy": {},
                },
            ),
            id="a new stream from a whole repository",
        ),
        pytest.param(
            stream(tag()), wanted(), Plan("php", (image("8.2", f"{PHP}:8.2", importMode="Legacy"),)), id="a tag again"
        ),
        pytest.param(
            stream(tag()),
            wanted("8.3", source=f"{PHP}:8.3"),
            Plan("php", (image("8.3", f"{PHP}:8.3"),)),
            id="a tag that the stream does not have yet",
        ),
        pytest.param(
            stream(repository=PHP),
            wanted("latest"),
            Plan("php", (image("latest", PHP),)),
            id="latest of the repository that the stream imports",
        ),
        pytest.param(
            stream(tag(), tag("prod", "php:8.2", "ImageStreamTag"), tag("live", "prod", "ImageStreamTag")),
            wanted("live"),
            Plan("php", (image("8.2", f"{PHP}:8.2", importMode="Legacy"),)),
            id="an alias leads to the tag that is imported",
        ),
        pytest.param(
            stream(tag(), tag("b", "ruby:1", "ImageStreamTag"), tag("c", ""), tag("d", reference=True)),
            wanted("", every=True),
            Plan("php", (image("8.2", f"{PHP}:8.2", importMode="Legacy"),)),
            id="all tags that come from a registry and are imported",
        ),
        pytest.param(
            stream(tag(importPolicy={"scheduled": True, "insecure": True, "importMode": "PreserveOriginal"})),
            wanted(),
            Plan(
                "php",
                (image("8.2", f"{PHP}:8.2", insecure=True, scheduled=True, importMode="PreserveOriginal"),),
            ),
            id="policies that are not given stay",
        ),
        pytest.param(
            stream(tag(importPolicy={"scheduled": True, "insecure": True, "importMode": "PreserveOriginal"})),
            wanted(scheduled=False, insecure=False, import_mode="Legacy"),
            Plan("php", (image("8.2", f"{PHP}:8.2", importMode="Legacy"),)),
            id="policies that are given are taken",
        ),
        pytest.param(
            stream(tag(importPolicy={}), insecure=True),
            wanted(),
            Plan("php", (image("8.2", f"{PHP}:8.2", insecure=True),)),
            id="the stream's annotation makes its registry insecure",
        ),
    ],
)
def test_what_is_asked_follows_from_the_stream_and_the_command_line(one, asked, expected):
    assert import_request.plan(asked, one) == expected


@pytest.mark.parametrize(
    ("one", "asked", "says"),
    [
        pytest.param(None, wanted(), "no image stream php: add --confirm to create it", id="no stream"),
        pytest.param(stream(), wanted(), "has no tag 8.2: add --from IMAGE", id="no tag"),
        pytest.param(
            stream(tag("8.2", "gone", "ImageStreamTag")),
            wanted(),
            "has no tag gone, which 8.2 follows",
            id="a dead alias",
        ),
        pytest.param(stream(tag(source="")), wanted(), "comes from a pushed image", id="a tag that was pushed"),
        pytest.param(
            stream(tag(source="ruby:1", kind="ImageStreamTag")),
            wanted(),
            "comes from ImageStreamTag",
            id="another stream",
        ),
        pytest.param(
            stream(tag()),
            wanted(source="quay.io/x:1"),
            "imagestreams tag --source=docker quay.io/x:1 php:8.2",
            id="moved",
        ),
        pytest.param(
            stream(tag("8.2", "b", "ImageStreamTag"), tag("b", "8.2", "ImageStreamTag")),
            wanted(),
            "tag 8.2 follows itself",
            id="a circle of aliases",
        ),
        pytest.param(stream(), wanted("", every=True), "no tags that come from a registry", id="nothing to import"),
        pytest.param(
            stream(),
            wanted("", every=True, source=PHP),
            "imports no whole repository: add --confirm",
            id="a repository",
        ),
        pytest.param(
            stream(repository="quay.io/x/y"),
            wanted("", every=True, source=PHP),
            "imports quay.io/x/y: add --confirm",
            id="another repository",
        ),
    ],
)
def test_what_cannot_be_imported_says_what_to_do(one, asked, says):
    with pytest.raises(CannotImport) as caught:
        import_request.plan(asked, one)
    assert says in str(caught.value)


def test_a_plan_of_many_tags_is_asked_in_groups():
    images = tuple(image(str(number), PHP) for number in range(12))
    parts = list(import_request.groups(Plan("php", images), 5))
    assert [len(one.images) for one in parts] == [5, 5, 2]
    assert sum((one.images for one in parts), ()) == images


def test_a_request_names_the_version_that_was_decided_on():
    asked = import_request.request(Plan("php", (image("8.2", PHP),)), "demo", "7", store=False)
    assert asked["metadata"] == {"name": "php", "namespace": "demo", "resourceVersion": "7"}
    assert asked["spec"] == {"import": False, "images": [image("8.2", PHP)]}
