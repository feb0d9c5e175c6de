"""The fields of the kinds that are made of others, and of the commands: tags, layers, imports."""

from __future__ import annotations

from typing import Final

from webhook.errors import Json
from webhook.image.group import kind, ref
from webhook.meta import definitions
from webhook.meta.nodes import array, boolean, integer, mapping, reference, string, structure

VIEWS: Final[dict[str, Json]] = {
    "ImageStreamTag": kind(
        "ImageStreamTag",
        "One tag of a stream with its newest image; its name is <stream>:<tag>.",
        {
            "tag": ref("TagReference", "The tag's entry in the spec of the stream; null where there is none."),
            "generation": integer("The generation of the newest event of the tag."),
            "lookupPolicy": ref("ImageLookupPolicy", "The lookup policy of the stream."),
            "conditions": array(ref("TagEventCondition"), "The conditions of the tag."),
            "image": ref("Image", "The newest image of the tag."),
        },
    ),
    "ImageTag": kind(
        "ImageTag",
        "One tag of a stream: what is wanted, its history and its newest image; its name is <stream>:<tag>.",
        {
            "spec": ref("TagReference", "The tag's entry in the spec of the stream; null where there is none."),
            "status": ref("NamedTagEventList", "The tag's entry in the status of the stream."),
            "image": ref("Image", "The newest image of the tag, where it is known."),
        },
    ),
    "ImageStreamImage": kind(
        "ImageStreamImage",
        "An image that a stream refers to; its name is <stream>@<digest>.",
        {"image": ref("Image", "The image.")},
    ),
    "ImageStreamMapping": kind(
        "ImageStreamMapping",
        "A command: make an image the newest of a stream's tag. Its name is that of the stream.",
        {"image": ref("Image", "The image."), "tag": string("The tag.")},
    ),
    "ImageStreamLayers": kind(
        "ImageStreamLayers",
        "The images of a stream and the blobs they are made of.",
        {
            "blobs": mapping(ref("ImageLayerData"), "Each blob by its digest."),
            "images": mapping(ref("ImageBlobReferences"), "The blobs of each image, by the image's digest."),
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
}

IMPORT: Final[dict[str, Json]] = {
    "ImageStreamImport": kind(
        "ImageStreamImport",
        "A command: look at images in registries and, if wanted, import them into the stream of the same name.",
        {
            "spec": ref("ImageStreamImportSpec", "What to import."),
            "status": ref("ImageStreamImportStatus", "What was found."),
        },
    ),
    "ImageStreamImportSpec": structure(
        "What to import.",
        {
            "import": boolean("True imports; false only shows what would be imported."),
            "repository": ref("RepositoryImportSpec", "A repository whose tags to import."),
            "images": array(ref("ImageImportSpec"), "Single images to import."),
        },
        required=("import",),
    ),
    "ImageStreamImportStatus": structure(
        "What was found.",
        {
            "import": ref("ImageStream", "The stream after the import."),
            "repository": ref("RepositoryImportStatus", "What the repository has."),
            "images": array(ref("ImageImportStatus"), "The outcome for each image of the spec, in the same order."),
        },
    ),
    "RepositoryImportSpec": structure(
        "A repository whose tags to import.",
        {
            "from": reference(definitions.OBJECT_REFERENCE, "The repository, of kind DockerImage."),
            "importPolicy": ref("TagImportPolicy", "How to import."),
            "referencePolicy": ref("TagReferencePolicy", "How workloads refer to the images."),
            "includeManifest": boolean("True puts the manifests into the answer."),
        },
        required=("from",),
    ),
    "RepositoryImportStatus": structure(
        "What a repository has.",
        {
            "status": reference(definitions.STATUS, "Whether the tags could be listed."),
            "images": array(ref("ImageImportStatus"), "The images that were looked at."),
            "additionalTags": array(string("A tag."), "Tags beyond the limit of a bulk import."),
        },
    ),
    "ImageImportSpec": structure(
        "An image to import.",
        {
            "from": reference(definitions.OBJECT_REFERENCE, "The image, of kind DockerImage."),
            "to": reference(definitions.LOCAL_OBJECT_REFERENCE, "The tag to import into."),
            "importPolicy": ref("TagImportPolicy", "How to import."),
            "referencePolicy": ref("TagReferencePolicy", "How workloads refer to the image."),
            "includeManifest": boolean("True puts the manifest into the answer."),
        },
        required=("from",),
    ),
    "ImageImportStatus": structure(
        "The outcome of the import of an image.",
        {
            "status": reference(definitions.STATUS, "Whether it succeeded."),
            "image": ref("Image", "The image that was found."),
            "tag": string("The tag it was imported into."),
            "manifests": array(ref("Image"), "The images of an index."),
        },
        required=("status",),
    ),
}
