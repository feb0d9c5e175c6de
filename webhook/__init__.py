"""ImageStreams for any Kubernetes: the image API of OpenShift, its imports and its image lookup."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("imagestreams")
except PackageNotFoundError:
    __version__ = "0.0.0"
