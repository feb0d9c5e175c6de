"""The fields of image.openshift.io/v1, once, for decoding, patches, apply, OpenAPI and `kubectl explain`."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from webhook.errors import Json
from webhook.meta import definitions
from webhook.meta.nodes import (
    array,
    binary,
    boolean,
    integer,
    kind,
    list_of,
    mapping,
    opaque,
    reference,
    string,
    structure,
    time,
)
from webhook.meta.schema import Schema

GROUP: Final = "image.openshift.io"
VERSION: Final = "v1"
_PACKAGE: Final = "com.github.openshift.api.image.v1"
_DIGEST: Final = "a digest such as sha256:9f2c..."


def name_of(definition: str) -> str:
    """The full name of a definition of this group, as clients of the original know it."""
    return f"{_PACKAGE}.{definition}"


def for_kind(name: str) -> Schema:
    """The schema of a kind (`ImageStream`) or of a part (`TagReference`); KeyError for an unknown one."""
    return _schema(name_of(name))


@cache
def _schema(definition: str) -> Schema:
    return Schema(DEFINITIONS[definition], DEFINITIONS)


def _ref(definition: str, description: str = "", **more: Any) -> Json:
    return reference(name_of(definition), description, **more)


def _kind(name: str, description: str, properties: Json, *required: str) -> Json:
    return kind(description, GROUP, VERSION, name, properties, required=required)


_STREAM: Final[dict[str, Json]] = {
    "ImageStream": _kind(
        "ImageStream",
        "A named series of images: tags that follow sources, and the history of the images they pointed to.",
        {
            "spec": _ref("ImageStreamSpec", "The tags and their sources, as wanted."),
            "status": _ref("ImageStreamStatus", "The images that the tags point to, as found by the server."),
        },
    ),
    "ImageStreamSpec": structure(
        "The wanted state of an image stream.",
        {
            "lookupPolicy": _ref("ImageLookupPolicy", "Whether workloads may use the stream by its short name."),
            "dockerImageRepository": string(
                "A repository all of whose tags are imported into the stream, such as quay.io/team/app."
            ),
            "tags": array(
                _ref("TagReference"),
                "The tags and where their images come from; one entry per name.",
                merge_key="name",
            ),
        },
    ),
    "ImageLookupPolicy": structure(
        "How references to a stream by its name alone are resolved.",
        {
            "local": boolean(
                "True lets workloads of the namespace write `app:latest` and get the image of that stream tag."
            )
        },
        required=("local",),
    ),
    "TagReference": structure(
        "A tag and where its image comes from.",
        {
            "name": string("The name of the tag."),
            "annotations": mapping(string("The value."), "Annotations of the tag, shown on its ImageStreamTag."),
            "from": reference(
                definitions.OBJECT_REFERENCE,
                "The source: a DockerImage (quay.io/team/app:1), an ImageStreamTag (app:1, or with a namespace of its"
                " own) or an ImageStreamImage (app@sha256:...). Without it the tag is only pushed to.",
            ),
            "reference": boolean("True keeps the source as a pull spec and imports no image."),
            "generation": integer(
                "Counts the changes of this entry. Set by the server; send null or 0 to have the tag imported again."
            ),
            "importPolicy": _ref("TagImportPolicy", "How the image is imported."),
            "referencePolicy": _ref("TagReferencePolicy", "How workloads refer to the image."),
        },
        required=("name",),
    ),
    "TagImportPolicy": structure(
        "How images are imported.",
        {
            "insecure": boolean("True accepts plain HTTP and certificates that cannot be verified."),
            "scheduled": boolean("True imports the tag again and again, to follow changes at its source."),
            "importMode": string(
                "Legacy imports the image of one platform from a multi-platform index; PreserveOriginal the index"
                " with all its images."
            ),
        },
    ),
    "TagReferencePolicy": structure(
        "How workloads refer to an image.",
        {
            "type": string(
                "Source: by the address it was imported from. Local: through the integrated registry, which pulls"
                " the image for them."
            )
        },
        required=("type",),
    ),
    "ImageStreamStatus": structure(
        "The observed state of an image stream.",
        {
            "dockerImageRepository": string("The address for pushing to the stream in the integrated registry."),
            "publicDockerImageRepository": string("The address of the stream for clients outside of the cluster."),
            "tags": array(_ref("NamedTagEventList"), "The history of each tag; one entry per tag.", merge_key="tag"),
        },
    ),
    "NamedTagEventList": structure(
        "The history of a tag.",
        {
            "tag": string("The name of the tag."),
            "items": array(_ref("TagEvent"), "The images that the tag pointed to, newest first."),
            "conditions": array(_ref("TagEventCondition"), "What went wrong with the tag, if anything."),
        },
        required=("tag",),
    ),
    "TagEvent": structure(
        "An image that a tag points to or pointed to.",
        {
            "created": time("When the tag came to point to the image."),
            "dockerImageReference": string("The pull spec of the image."),
            "image": string(f"The name of the Image object: {_DIGEST}"),
            "generation": integer("The generation of the tag that led to this event."),
        },
        required=("created", "dockerImageReference", "image", "generation"),
    ),
    "TagEventCondition": structure(
        "A condition of a tag.",
        {
            "type": string("What the condition is about; ImportSuccess is the one that is used."),
            "status": string("True, False or Unknown."),
            "lastTransitionTime": time("When the status last changed."),
            "reason": string("Why, in one word."),
            "message": string("Why, for people."),
            "generation": integer("The generation of the tag that the condition is about."),
        },
        required=("type", "status", "generation"),
    ),
}

_IMAGE: Final[dict[str, Json]] = {
    "Image": _kind(
        "Image",
        "An image at the moment it was imported or pushed; its name is the digest of its manifest.",
        {
            "dockerImageReference": string("The pull spec of the image."),
            "dockerImageMetadata": opaque(
                "The image's configuration and size, in the form dockerImageMetadataVersion names.",
                **{"x-kubernetes-patch-strategy": "replace"},
            ),
            "dockerImageMetadataVersion": string("The version of dockerImageMetadata; empty means 1.0."),
            "dockerImageManifest": string("The manifest itself, where it is kept here."),
            "dockerImageLayers": array(_ref("ImageLayer"), "The layers, base first."),
            "signatures": array(_ref("ImageSignature"), "The signatures of the image.", merge_key="name"),
            "dockerImageSignatures": array(binary("A signature."), "Signatures of an old format, opaque."),
            "dockerImageManifestMediaType": string("The media type of the manifest."),
            "dockerImageConfig": string("The configuration itself, where it is kept here."),
            "dockerImageManifests": array(
                _ref("ImageManifest"), "The images of an index, one per platform; such an image has no layers."
            ),
        },
    ),
    "ImageManifest": structure(
        "One image of an index.",
        {
            "digest": string("The digest of the manifest, which is the name of its Image."),
            "mediaType": string("The media type of the manifest."),
            "manifestSize": integer("The size of the manifest in bytes."),
            "architecture": string("The architecture, such as amd64."),
            "os": string("The operating system, such as linux."),
            "variant": string("The variant of the architecture, such as v7."),
        },
        required=("digest", "mediaType", "manifestSize", "architecture", "os"),
    ),
    "ImageLayer": structure(
        "One layer of an image.",
        {
            "name": string("The digest of the layer."),
            "size": integer("The size of the layer in bytes."),
            "mediaType": string("The media type of the layer."),
        },
        required=("name", "size", "mediaType"),
    ),
    "ImageSignature": _kind(
        "ImageSignature",
        "A signature of an image; its name is <image>@<signature>.",
        {
            "type": string("The kind of signature."),
            "content": binary("The signature, opaque."),
            "conditions": array(_ref("SignatureCondition"), "What was verified.", merge_key="type"),
            "imageIdentity": string("The identity that was signed. Set by the server."),
            "signedClaims": mapping(string("The claim."), "The claims that were signed. Set by the server."),
            "created": time("When the signature was made. Set by the server."),
            "issuedBy": _ref("SignatureIssuer", "Who issued the signing key. Set by the server."),
            "issuedTo": _ref("SignatureSubject", "Who signed. Set by the server."),
        },
    ),
    "SignatureCondition": structure(
        "A condition of a signature.",
        {
            "type": string("Trusted or ForImage."),
            "status": string("True, False or Unknown."),
            "lastProbeTime": time("When it was last looked at."),
            "lastTransitionTime": time("When the status last changed."),
            "reason": string("Why, in one word."),
            "message": string("Why, for people."),
        },
        required=("type", "status"),
    ),
    "SignatureIssuer": structure(
        "Who issued a signing key.",
        {"organization": string("The organization."), "commonName": string("The common name.")},
    ),
    "SignatureSubject": structure(
        "Who signed.",
        {
            "organization": string("The organization."),
            "commonName": string("The common name."),
            "publicKeyID": string("The id of the public key."),
        },
        required=("publicKeyID",),
    ),
}

_VIEWS: Final[dict[str, Json]] = {
    "ImageStreamTag": _kind(
        "ImageStreamTag",
        "One tag of a stream with its newest image; its name is <stream>:<tag>.",
        {
            "tag": _ref("TagReference", "The tag's entry in the spec of the stream; null where there is none."),
            "generation": integer("The generation of the newest event of the tag."),
            "lookupPolicy": _ref("ImageLookupPolicy", "The lookup policy of the stream."),
            "conditions": array(_ref("TagEventCondition"), "The conditions of the tag."),
            "image": _ref("Image", "The newest image of the tag."),
        },
    ),
    "ImageTag": _kind(
        "ImageTag",
        "One tag of a stream: what is wanted, its history and its newest image; its name is <stream>:<tag>.",
        {
            "spec": _ref("TagReference", "The tag's entry in the spec of the stream; null where there is none."),
            "status": _ref("NamedTagEventList", "The tag's entry in the status of the stream."),
            "image": _ref("Image", "The newest image of the tag, where it is known."),
        },
    ),
    "ImageStreamImage": _kind(
        "ImageStreamImage",
        "An image that a stream refers to; its name is <stream>@<digest>.",
        {"image": _ref("Image", "The image.")},
    ),
    "ImageStreamMapping": _kind(
        "ImageStreamMapping",
        "A command: make an image the newest of a stream's tag. Its name is that of the stream.",
        {"image": _ref("Image", "The image."), "tag": string("The tag.")},
    ),
    "ImageStreamLayers": _kind(
        "ImageStreamLayers",
        "The images of a stream and the blobs they are made of.",
        {
            "blobs": mapping(_ref("ImageLayerData"), "Each blob by its digest."),
            "images": mapping(_ref("ImageBlobReferences"), "The blobs of each image, by the image's digest."),
        },
        "blobs",
        "images",
    ),
    "ImageLayerData": structure(
        "A blob.",
        {
            "size": integer("The size in bytes, where it is known."),
            "mediaType": string("The media type."),
        },
        required=("mediaType",),
    ),
    "ImageBlobReferences": structure(
        "The blobs of an image.",
        {
            "imageMissing": boolean("True where the stream refers to an image of which nothing is known."),
            "layers": array(string("A digest."), "The digests of the layers, base first."),
            "config": string("The digest of the configuration."),
            "manifests": array(string("A digest."), "The digests of the images of an index."),
        },
    ),
    "SecretList": list_of(GROUP, VERSION, "Secret", "io.k8s.api.core.v1.Secret"),
}

_IMPORT: Final[dict[str, Json]] = {
    "ImageStreamImport": _kind(
        "ImageStreamImport",
        "A command: look at images in registries and, if wanted, import them into the stream of the same name.",
        {
            "spec": _ref("ImageStreamImportSpec", "What to import."),
            "status": _ref("ImageStreamImportStatus", "What was found."),
        },
    ),
    "ImageStreamImportSpec": structure(
        "What to import.",
        {
            "import": boolean("True imports; false only shows what would be imported."),
            "repository": _ref("RepositoryImportSpec", "A repository whose tags to import."),
            "images": array(_ref("ImageImportSpec"), "Single images to import."),
        },
        required=("import",),
    ),
    "ImageStreamImportStatus": structure(
        "What was found.",
        {
            "import": _ref("ImageStream", "The stream after the import."),
            "repository": _ref("RepositoryImportStatus", "What the repository has."),
            "images": array(_ref("ImageImportStatus"), "The outcome for each image of the spec, in the same order."),
        },
    ),
    "RepositoryImportSpec": structure(
        "A repository whose tags to import.",
        {
            "from": reference(definitions.OBJECT_REFERENCE, "The repository, of kind DockerImage."),
            "importPolicy": _ref("TagImportPolicy", "How to import."),
            "referencePolicy": _ref("TagReferencePolicy", "How workloads refer to the images."),
            "includeManifest": boolean("True puts the manifests into the answer."),
        },
        required=("from",),
    ),
    "RepositoryImportStatus": structure(
        "What a repository has.",
        {
            "status": reference(definitions.STATUS, "Whether the tags could be listed."),
            "images": array(_ref("ImageImportStatus"), "The images that were looked at."),
            "additionalTags": array(string("A tag."), "Tags beyond the limit of a bulk import."),
        },
    ),
    "ImageImportSpec": structure(
        "An image to import.",
        {
            "from": reference(definitions.OBJECT_REFERENCE, "The image, of kind DockerImage."),
            "to": reference(definitions.LOCAL_OBJECT_REFERENCE, "The tag to import into."),
            "importPolicy": _ref("TagImportPolicy", "How to import."),
            "referencePolicy": _ref("TagReferencePolicy", "How workloads refer to the image."),
            "includeManifest": boolean("True puts the manifest into the answer."),
        },
        required=("from",),
    ),
    "ImageImportStatus": structure(
        "The outcome of the import of an image.",
        {
            "status": reference(definitions.STATUS, "Whether it succeeded."),
            "image": _ref("Image", "The image that was found."),
            "tag": string("The tag it was imported into."),
            "manifests": array(_ref("Image"), "The images of an index."),
        },
        required=("status",),
    ),
}

_LISTED: Final = ("Image", "ImageStream", "ImageStreamTag", "ImageTag")

_LISTS: Final[dict[str, Json]] = {f"{one}List": list_of(GROUP, VERSION, one, name_of(one)) for one in _LISTED}

_SECRET: Final = kind(
    "Credentials, as the core group has them.",
    "",
    "v1",
    "Secret",
    {
        "data": mapping(binary("The value."), "The values, in base64."),
        "stringData": mapping(string("The value."), "Values to be added to data."),
        "type": string("The type, such as kubernetes.io/dockerconfigjson."),
        "immutable": boolean("True forbids changes."),
    },
)

DEFINITIONS: Final[dict[str, Json]] = {
    **definitions.DEFINITIONS,
    "io.k8s.api.core.v1.Secret": _SECRET,
    **{name_of(key): node for part in (_STREAM, _IMAGE, _VIEWS, _IMPORT, _LISTS) for key, node in part.items()},
}
"""Name → schema node, of this group and of all that it refers to."""
