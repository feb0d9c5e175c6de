import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.image import manifest as manifests
from webhook.image.configuration import BadContent
from webhook.image.manifest import (
    Entry,
    Listing,
    Single,
    choose,
    content_digest,
    filled,
    list_image,
    parse,
    single_image,
)

LAYER, OTHER = "sha256:" + "1a" * 32, "sha256:" + "2b" * 32
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
REFERENCE = "quay.io/acme/app@sha256:" + "cc" * 32


def encoded(document):
    return json.dumps(document).encode()


def configuration(**more):
    return encoded({"architecture": "amd64", "os": "linux", "created": "2024-01-02T03:04:05.678Z", **more})


def manifest(config=b"{}", layers=((LAYER, 119),), media_type=manifests.DOCKER_MANIFEST, **more):
    return encoded(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": "c", "size": len(config), "digest": content_digest(config)},
            "layers": [{"mediaType": LAYER_TYPE, "size": size, "digest": name} for name, size in layers],
            **more,
        }
    )


def image(config, **more):
    raw = manifest(config, **more)
    found = parse(raw, json.loads(raw)["mediaType"])
    assert isinstance(found, Single)
    return single_image(found, config, REFERENCE)


def listing(*platforms, media_type=manifests.DOCKER_LIST):
    entries = [
        {"mediaType": manifests.DOCKER_MANIFEST, "size": 523, "digest": f"sha256:{number:064x}", "platform": platform}
        for number, platform in enumerate(platforms)
    ]
    return encoded({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})


def linux(architecture, **more):
    return {"architecture": architecture, "os": "linux", **more}


def test_an_image_says_what_its_manifest_and_configuration_say():
    config = configuration(
        author="fixtures",
        config={
            "Cmd": ["/hello"],
            "Env": ["PATH=/usr/bin"],
            "ExposedPorts": {"8080/tcp": {}},
            "Labels": {"text": "php"},
        },
        rootfs={"type": "layers"},
        history=[{"created": "2024-01-02T03:04:05Z"}],
    )
    raw = manifest(config)
    assert image(config) == {
        "metadata": {
            "name": content_digest(raw),
            "annotations": {"image.openshift.io/dockerLayersOrder": "ascending"},
        },
        "dockerImageReference": REFERENCE,
        "dockerImageMetadata": {
            "kind": "DockerImage",
            "apiVersion": "image.openshift.io/1.0",
            "Id": content_digest(config),
            "Created": "2024-01-02T03:04:05Z",
            "Author": "fixtures",
            "Architecture": "amd64",
            "Config": {
                "Cmd": ["/hello"],
                "Env": ["PATH=/usr/bin"],
                "ExposedPorts": {"8080/tcp": {}},
                "Labels": {"text": "php"},
            },
            "ContainerConfig": {},
            "Size": len(config) + 119,
        },
        "dockerImageMetadataVersion": "1.0",
        "dockerImageManifest": raw.decode(),
        "dockerImageManifestMediaType": manifests.DOCKER_MANIFEST,
        "dockerImageConfig": config.decode(),
        "dockerImageLayers": [{"name": LAYER, "size": 119, "mediaType": LAYER_TYPE}],
    }


def test_the_size_counts_each_blob_once():
    config = b"{" + b" " * 1457 + b"}"
    layers = ((LAYER, 667590), (LAYER, 667590), (content_digest(config), 1459))
    assert image(config, layers=layers)["dockerImageMetadata"]["Size"] == 669049


def test_an_empty_configuration_says_nothing():
    assert image(b"{}")["dockerImageMetadata"] == {
        "kind": "DockerImage",
        "apiVersion": "image.openshift.io/1.0",
        "Id": content_digest(b"{}"),
        "Created": None,
        "ContainerConfig": {},
        "Size": 121,
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"Cmd": None, "Env": [], "User": "", "Tty": False, "Memory": 0}, {}),
        ({"Healthcheck": {"Test": ["CMD"]}, "StopSignal": "SIGTERM", "User": "1001"}, {"User": "1001"}),
        ({"env": ["A=b"], "WorkingDir": "/"}, {"WorkingDir": "/"}),
        (
            {"Volumes": {"/data": {"what": 1}}, "Tty": True, "Memory": 5},
            {"Volumes": {"/data": {}}, "Tty": True, "Memory": 5},
        ),
    ],
    ids=["empty values go", "unknown keys go", "keys in another case go", "sets are empty maps"],
)
def test_of_a_container_configuration_the_known_keys_are_kept(given, kept):
    assert image(configuration(config=given))["dockerImageMetadata"]["Config"] == kept


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times_are_in_utc_and_whole_seconds(text, wanted):
    assert image(configuration(created=text))["dockerImageMetadata"]["Created"] == wanted


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"<html>",
        b"[]",
        b"{} {}",
        '{"author": "x"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"author": "x"}',
        b'{"author": "caf\xe9"}',
        b'{"author": "\\ud800"}',
        b'{"author": "\\ud83d", "comment": "\\ude00"}',
        b'{"created": "yesterday"}',
        b'{"author": 7}',
        b'{"config": []}',
        b'{"config": {"Cmd": "/hello"}}',
        b'{"config": {"Labels": {"a": 1}}}',
        b'{"config": {"Memory": true}}',
        b'{"config": {"Memory": NaN}}',
        b'{"config": {"Memory": 1e400}}',
        b'{"config": {"Memory": 9223372036854775808}}',
        b'{"config": {"Memory": %s}}' % (b"1" * 5000),
        b'{"a":' * 100_000,
    ],
)
def test_a_configuration_of_another_shape_is_refused(config):
    with pytest.raises(BadContent):
        image(config)


# Kinds of manifests.


@pytest.mark.parametrize(
    ("sent", "inner", "kind"),
    [
        (manifests.DOCKER_MANIFEST, manifests.DOCKER_MANIFEST, manifests.DOCKER_MANIFEST),
        (manifests.OCI_MANIFEST, None, manifests.OCI_MANIFEST),
        (f"{manifests.OCI_MANIFEST}; charset=utf-8", manifests.OCI_MANIFEST, manifests.OCI_MANIFEST),
        ("application/json", manifests.OCI_MANIFEST, manifests.OCI_MANIFEST),
        ("", manifests.DOCKER_MANIFEST, manifests.DOCKER_MANIFEST),
    ],
)
def test_the_media_type_is_the_one_sent_or_else_the_one_inside(sent, inner, kind):
    assert parse(manifest(media_type=inner), sent).media_type == kind


@pytest.mark.parametrize(
    ("raw", "sent", "text"),
    [
        (b"<html>", "text/html", "no JSON"),
        (b"[]", manifests.OCI_MANIFEST, "no JSON object"),
        (manifest(media_type=None), manifests.DOCKER_MANIFEST, "says nothing of itself"),
        (manifest(media_type=None), "application/json", "unsupported manifest"),
        (manifest(media_type=None, manifests=[]), manifests.OCI_MANIFEST, "must not have manifests"),
        (manifest(media_type=None), manifests.OCI_INDEX, "must not have config or layers"),
        (manifest(), manifests.OCI_MANIFEST, "says application/vnd.docker.distribution.manifest.v2.json of itself"),
        (manifest(layers=[("sha256:short", 1)]), manifests.DOCKER_MANIFEST, "no valid digest"),
        (manifest(layers=[("md5:" + "a" * 32, 1)]), manifests.DOCKER_MANIFEST, "no valid digest"),
        (manifest(layers=[(LAYER, -1)]), manifests.DOCKER_MANIFEST, "no valid size"),
        (manifest(layers=[(LAYER, True)]), manifests.DOCKER_MANIFEST, "no valid size"),
        (manifest(layers=[(LAYER, 10**30)]), manifests.DOCKER_MANIFEST, "no valid size"),
        (encoded({"config": None, "layers": []}), manifests.OCI_MANIFEST, "config of the manifest is no object"),
        (listing("linux"), manifests.DOCKER_LIST, "platform"),
        (listing({"os": 7}), manifests.DOCKER_LIST, "platform"),
        (encoded({"manifests": {}}), manifests.OCI_INDEX, "no manifests"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(raw, sent, text):
    with pytest.raises(BadContent, match=text):
        parse(raw, sent)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.sampled_from(
    ["config", "layers", "manifests", "history", "fsLayers", "schemaVersion", "mediaType", "signatures"]
)


@given(st.dictionaries(PARTS, JSON | st.just(1)), st.sampled_from([*manifests.MEDIA_TYPES, ""]))
def test_no_document_is_worse_than_refused(document, media_type):
    try:
        found = parse(encoded(document), media_type)
    except BadContent:
        return
    assert isinstance(found, Single | Listing)


def test_an_image_or_a_list_of_nothing_names_no_parts():
    empty = parse(listing(), manifests.DOCKER_LIST)
    assert "dockerImageLayers" not in image(b"{}", layers=())
    assert "dockerImageManifests" not in list_image(empty, REFERENCE, "2026-03-01T12:00:00Z")


# Lists.


def test_a_list_names_its_members():
    raw = listing(linux("amd64"), linux("arm", variant="v7"))
    found = parse(raw, manifests.DOCKER_LIST)
    made = list_image(found, REFERENCE, "2026-03-01T12:00:00Z")
    assert made["metadata"] == {"name": content_digest(raw)}
    assert made["dockerImageMetadata"]["Created"] == "2026-03-01T12:00:00Z"
    assert made["dockerImageManifests"] == [
        {
            "digest": f"sha256:{0:064x}",
            "mediaType": manifests.DOCKER_MANIFEST,
            "manifestSize": 523,
            "architecture": "amd64",
            "os": "linux",
        },
        {
            "digest": f"sha256:{1:064x}",
            "mediaType": manifests.DOCKER_MANIFEST,
            "manifestSize": 523,
            "architecture": "arm",
            "os": "linux",
            "variant": "v7",
        },
    ]


@pytest.mark.parametrize(
    ("platforms", "wanted", "index"),
    [
        (["s390x", "amd64", "arm64"], ("arm64", "linux"), 2),
        (["s390x", "amd64", "arm64"], ("riscv64", "linux"), 1),
        (["s390x", "arm64"], ("riscv64", "linux"), 0),
        (["amd64"], ("amd64", "windows"), 0),
    ],
    ids=["the wanted one", "else linux/amd64", "else the first", "the system counts too"],
)
def test_one_image_of_a_list_stands_for_it(platforms, wanted, index):
    entries = [Entry(f"sha256:{number:064x}", "", 0, name, "linux") for number, name in enumerate(platforms)]
    assert choose(entries, *wanted) is entries[index]


def test_an_empty_list_has_no_image():
    with pytest.raises(BadContent, match="no manifests in manifest list"):
        choose([], "amd64", "linux")


# Schema 1.


def schema1(**more):
    newest = {"id": "f" * 64, "created": "2015-01-02T03:04:05Z", "author": "old", "Size": 5, "config": {"User": "web"}}
    oldest = {"id": "e" * 64, "Size": 7}
    return {
        "schemaVersion": 1,
        "fsLayers": [{"blobSum": OTHER}, {"blobSum": LAYER}],
        "history": [{"v1Compatibility": json.dumps(one)} for one in (newest, oldest)],
        **more,
    }


def test_an_old_manifest_has_its_layers_turned_around_and_its_metadata_from_the_newest():
    found = parse(encoded(schema1()), manifests.DOCKER_SCHEMA1_SIGNED)
    made = single_image(found, b"", REFERENCE)
    assert [(one["name"], one["size"]) for one in made["dockerImageLayers"]] == [(LAYER, 7), (OTHER, 5)]
    metadata = made["dockerImageMetadata"]
    assert (metadata["Id"], metadata["Author"], metadata["Size"]) == ("f" * 64, "old", 12)
    assert metadata["Config"] == {"User": "web"}
    assert made["dockerImageManifestMediaType"] == manifests.DOCKER_SCHEMA1
    assert "dockerImageConfig" not in made


def test_the_digest_of_an_old_manifest_does_not_count_its_signatures():
    payload = json.dumps(schema1(), indent=3).encode()
    head, tail = payload[:-2], payload[-2:]
    protected = {"formatLength": len(head), "formatTail": base64.urlsafe_b64encode(tail).decode().rstrip("=")}
    signature = {"protected": base64.urlsafe_b64encode(encoded(protected)).decode().rstrip("=")}
    signed = head + b', "signatures": ' + encoded([signature]) + tail
    assert parse(signed, manifests.DOCKER_SCHEMA1_SIGNED).digest == content_digest(payload)


@pytest.mark.parametrize(
    "more",
    [
        {"history": []},
        {"history": [{"v1Compatibility": "{}"}]},
        {"history": [{}, {}]},
        {"fsLayers": [None, {"blobSum": "x"}]},
        {"signatures": [{"protected": "!"}]},
        {"signatures": [None]},
    ],
)
def test_a_broken_old_manifest_is_refused(more):
    with pytest.raises(BadContent):
        parse(encoded(schema1(**more)), manifests.DOCKER_SCHEMA1)


# Images that clients post.


def test_a_posted_image_is_filled_from_its_manifest_and_configuration():
    config = configuration(author="me")
    posted = {
        "metadata": {"name": "sha256:mine", "annotations": {"a": "b"}},
        "dockerImageReference": REFERENCE,
        "dockerImageManifest": manifest(config).decode(),
        "dockerImageConfig": config.decode(),
        "dockerImageManifestMediaType": manifests.DOCKER_MANIFEST,
    }
    made = filled(posted)
    assert made["metadata"] == {
        "name": "sha256:mine",
        "annotations": {"a": "b", "image.openshift.io/dockerLayersOrder": "ascending"},
    }
    assert made["dockerImageMetadata"]["Author"] == "me"
    assert made["dockerImageLayers"]


@pytest.mark.parametrize(
    "content", ["", "<html>", manifest().decode()], ids=["none", "no manifest", "no configuration"]
)
def test_a_posted_image_that_cannot_be_read_stays_as_it_is(content):
    posted = {"metadata": {"name": "x"}, "dockerImageManifest": content}
    assert filled(posted) == posted


def test_a_posted_list_gets_its_members():
    made = filled({"metadata": {"name": "x"}, "dockerImageManifest": listing(linux("amd64")).decode()})
    assert [one["architecture"] for one in made["dockerImageManifests"]] == ["amd64"]


@pytest.mark.parametrize(
    "bulk",
    [
        pytest.param(b'{"x":[' + b"{}," * 60_000 + b"{}]}", id="empty objects"),
        pytest.param(b'{"x":' + b"[" * 60_000, id="lists in lists"),
        pytest.param(b'{"x":"' + b"," * 60_000 + b'"}', id="as many commas in a text, since only bytes are counted"),
    ],
)
def test_more_values_than_any_real_manifest_has_are_not_even_decoded(bulk):
    with pytest.raises(BadContent, match="the manifest has more than 50000 values"):
        parse(bulk, manifests.OCI_MANIFEST)


def test_more_layers_than_can_be_mounted_are_refused():
    raw = manifest(layers=[(f"sha256:{number:064x}", 1) for number in range(1001)])
    with pytest.raises(BadContent, match="the manifest has 1001 layers"):
        parse(raw, manifests.DOCKER_MANIFEST)
