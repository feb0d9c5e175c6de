"""Every resource that is served: the image group, and the sandbox of the standalone server."""

from __future__ import annotations

from webhook.meta.resources import ResourceInfo, SubresourceInfo

GROUP = "image.openshift.io"
_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_VIEW = ("create", "delete", "get", "list", "patch", "update")


def _image(
    resource: str,
    kind: str,
    verbs: tuple[str, ...],
    short: tuple[str, ...] = (),
    *,
    namespaced: bool = True,
    categories: tuple[str, ...] = (),
    subresources: tuple[SubresourceInfo, ...] = (),
) -> ResourceInfo:
    return ResourceInfo(GROUP, "v1", resource, kind.lower(), kind, namespaced, verbs, short, categories, subresources)


IMAGES = _image("images", "Image", _ALL, namespaced=False)
IMAGESTREAMS = _image(
    "imagestreams",
    "ImageStream",
    _ALL,
    ("is",),
    categories=("all",),
    subresources=(
        SubresourceInfo("layers", "ImageStreamLayers", ("get",)),
        SubresourceInfo("secrets", "SecretList", ("get",), "", "v1"),
        SubresourceInfo("status", "ImageStream", ("get", "patch", "update")),
    ),
)
IMAGESTREAMTAGS = _image("imagestreamtags", "ImageStreamTag", _VIEW, ("istag",))
IMAGESTREAMIMAGES = _image("imagestreamimages", "ImageStreamImage", ("get",), ("isimage",))
IMAGESTREAMIMPORTS = _image("imagestreamimports", "ImageStreamImport", ("create",))
IMAGESTREAMMAPPINGS = _image("imagestreammappings", "ImageStreamMapping", ("create",))
IMAGETAGS = _image("imagetags", "ImageTag", _VIEW, ("itag",))
IMAGESIGNATURES = _image("imagesignatures", "ImageSignature", ("create", "delete"), namespaced=False)
IMAGE_GROUP = (
    IMAGES,
    IMAGESIGNATURES,
    IMAGESTREAMIMAGES,
    IMAGESTREAMIMPORTS,
    IMAGESTREAMMAPPINGS,
    IMAGESTREAMS,
    IMAGESTREAMTAGS,
    IMAGETAGS,
)
"""All resources of the group."""
