"""The fields of the kinds that are stored: image streams and images."""

from __future__ import annotations

from typing import Final

from webhook.errors import Json
from webhook.image.group import kind, ref
from webhook.meta import definitions
from webhook.meta.nodes import array, binary, boolean, integer, mapping, opaque, reference, string, structure, time

_DIGEST: Final = "a digest such as sha256:9f2c..."

STREAM: Final[dict[str, Json]] = {
    "ImageStream": kind(
        "ImageStream",
        "A named series of images: tags that follow sources, and the history of the images they pointed to.",
        {
            "spec": ref("ImageStreamSpec", "The tags and their sources, as wanted."),
            "status": ref("ImageStreamStatus", "The images that the tags point to, as found by the server."),
        },
    ),
    "ImageStreamSpec": structure(
        "The wanted state of an image stream.",
        {
            "lookupPolicy": ref("ImageLookupPolicy", "Whether workloads may use the stream by its short name."),
            "dockerImageRepository": string(
                "A repository all of whose tags are imported into the stream, such as quay.io/team/app."
            ),
            "tags": array(
                ref("TagReference"),
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
            "importPolicy": ref("TagImportPolicy", "How the image is imported."),
            "referencePolicy": ref("TagReferencePolicy", "How workloads refer to the image."),
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
            "tags": array(ref("NamedTagEventList"), "The history of each tag; one entry per tag.", merge_key="tag"),
        },
    ),
    "NamedTagEventList": structure(
        "The history of a tag.",
        {
            "tag": string("The name of the tag."),
            "items": array(ref("TagEvent"), "The images that the tag pointed to, newest first."),
            "conditions": array(ref("TagEventCondition"), "What went wrong with the tag, if anything."),
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

IMAGE: Final[dict[str, Json]] = {
    "Image": kind(
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
            "dockerImageLayers": array(ref("ImageLayer"), "The layers, base first."),
            "signatures": array(ref("ImageSignature"), "The signatures of the image.", merge_key="name"),
            "dockerImageSignatures": array(binary("A signature."), "Signatures of an old format, opaque."),
            "dockerImageManifestMediaType": string("The media type of the manifest."),
            "dockerImageConfig": string("The configuration itself, where it is kept here."),
            "dockerImageManifests": array(
                ref("ImageManifest"), "The images of an index, one per platform; such an image has no layers."
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
    "ImageSignature": kind(
        "ImageSignature",
        "A signature of an image; its name is <image>@<signature>.",
        {
            "type": string("The kind of signature."),
            "content": binary("The signature, opaque."),
            "conditions": array(ref("SignatureCondition"), "What was verified.", merge_key="type"),
            "imageIdentity": string("The identity that was signed. Set by the server."),
            "signedClaims": mapping(string("The claim."), "The claims that were signed. Set by the server."),
            "created": time("When the signature was made. Set by the server."),
            "issuedBy": ref("SignatureIssuer", "Who issued the signing key. Set by the server."),
            "issuedTo": ref("SignatureSubject", "Who signed. Set by the server."),
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
