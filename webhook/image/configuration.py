"""What an image configuration says, as the `dockerImageMetadata` of an Image (version 1.0, image-api 4.2 and 5.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from webhook.errors import Json
from webhook.meta import timestamps

# Decoded, small values take fifty times their bytes; real manifests and configurations have some hundreds of them.
_MAX_VALUES: Final = 50_000


class BadContent(ValueError):
    """The bytes are not what an image is made of; the message says why."""


def read_object(raw: bytes, what: str) -> Json:
    """The JSON object in these bytes; raises BadContent, whose message calls it `what`."""
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > _MAX_VALUES:
        raise BadContent(f"the {what} has more than {_MAX_VALUES} values")
    try:
        # Not the standard library's: it takes UTF-16, and half a surrogate pair and NaN, which could not be stored.
        document = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        raise BadContent(f"the {what} is no JSON") from error
    if not isinstance(document, dict):
        raise BadContent(f"the {what} is no JSON object")
    return document


def document(**values: Any) -> Json:
    """A DockerImage: Id, Created and ContainerConfig are always there, other keys when they say something."""
    base: Json = {"kind": "DockerImage", "apiVersion": "image.openshift.io/1.0", "Id": "", "Created": None}
    base["ContainerConfig"] = {}
    return base | {key: value for key, value in values.items() if value not in ("", None, 0)}


def fields(source: Json) -> Json:
    """The keys of a DockerImage that a configuration (or schema 1 history entry) has; raises BadContent."""
    found: Json = {}
    for key, target in _IMAGE_KEYS.items():
        value = source.get(key)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadContent(f"{key} of the image configuration is not text")
        found[target] = _whole_seconds(value) if target == "Created" else value
    for key, target in (("config", "Config"), ("container_config", "ContainerConfig")):
        value = source.get(key)
        if value is not None:
            found[target] = _container(value, key)
    return found


def _container(value: Any, what: str) -> Json:
    if not isinstance(value, dict):
        raise BadContent(f"{what} of the image configuration is no object")
    found: Json = {}
    for key, fits in _CONTAINER_KEYS.items():
        part = value.get(key)
        # `0 == False`, and both are left out, as everything empty is.
        if part in (None, "", 0, [], {}):
            continue
        if not fits(part):
            raise BadContent(f"{what}.{key} of the image configuration has the wrong type")
        # A set is a map to empty objects; whatever else stands there says nothing.
        found[key] = {name: {} for name in part} if key in _SETS else part
    return found


def _whole_seconds(text: str) -> str | None:
    """A time in UTC without fractions, as Kubernetes writes times; the zero time is none."""
    try:
        moment = timestamps.parse(text)
    except ValueError as error:
        raise BadContent("created of the image configuration is no time") from error
    return None if moment.year == 1 else timestamps.format(moment)


def is_a(value: Any, kind: type) -> bool:
    """`isinstance` for JSON, where true is no number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _of(kind: type) -> Callable[[Any], bool]:
    return lambda value: is_a(value, kind)


def _int64(value: Any) -> bool:
    return is_a(value, int) and -(2**63) <= value < 2**63


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _map_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(is_a(one, kind) for one in value.values())


_IMAGE_KEYS = {
    "parent": "Parent",
    "comment": "Comment",
    "created": "Created",
    "container": "Container",
    "docker_version": "DockerVersion",
    "author": "Author",
    "architecture": "Architecture",
}

_SETS = ("ExposedPorts", "Volumes")

_CONTAINER_KEYS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("Hostname", "Domainname", "User", "Cpuset", "Image", "VolumesFrom", "WorkingDir"), _of(str)),
    **dict.fromkeys(("Memory", "MemorySwap", "CpuShares"), _int64),
    **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"), _of(bool)),
    **dict.fromkeys(("PortSpecs", "Env", "Cmd", "Dns", "Entrypoint", "SecurityOpts", "OnBuild"), _texts),
    **dict.fromkeys(_SETS, _map_of(dict)),
    "NetworkDisabled": _of(bool),
    "Labels": _map_of(str),
}
