"""Writes webhook/meta/kubernetes.binpb anew: the protobuf messages of the built-in kinds (decision 0008).

`messages.py FOLDER`: the folder has `k8s.io/api` and `k8s.io/apimachinery` of one release in it, as has `staging/src`
of the Kubernetes repository. `protoc` must be installed, or be named in $PROTOC.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from webhook.apiserver import sandbox
from webhook.meta import protobuf

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\t(?:\w+ +)?(\S+) +`.*?json:"([^"]*)".*?protobuf:"\w+,(\d+),', re.MULTILINE)
_META = protobuf.PACKAGES["meta.k8s.io/v1"]
_EXPANDED = FeatureSet.RepeatedFieldEncoding.EXPANDED
_IMPLICIT = FeatureSet.FieldPresence.IMPLICIT

Messages = dict[str, DescriptorProto]


class Tag(NamedTuple):
    """How Go writes a field of a struct as JSON; `dropped` where a zero is left out."""

    name: str
    dropped: bool


def main(folder: Path) -> None:
    """Compile, keep what the kinds reach, and write Go's conventions for JSON into it."""
    compiled = _compiled(folder)
    messages = {f"{file.package}.{one.name}": one for file in compiled.file for one in file.message_type}
    reached: Messages = {}
    for root in _roots():
        _reach(root, messages, reached)
    for name, message in reached.items():
        if name not in (*protobuf.SPECIAL, protobuf.ENVELOPE):
            _annotate(name, message, _tags(folder, name))
    files = [stripped for file in compiled.file if (stripped := _stripped(file, reached)).message_type]
    protobuf.DESCRIPTORS.write_bytes(FileDescriptorSet(file=files).SerializeToString(deterministic=True))
    print(f"{len(reached)} messages, {protobuf.DESCRIPTORS.stat().st_size} bytes in {protobuf.DESCRIPTORS}")


def _compiled(folder: Path) -> FileDescriptorSet:
    sources = [str(_path(package)) for package in protobuf.PACKAGES.values()]
    with tempfile.NamedTemporaryFile() as out:
        command = [*shlex.split(os.environ.get("PROTOC", "protoc")), f"-I{folder}", "--include_imports"]
        command += [f"--descriptor_set_out={out.name}", *(f"{one}/generated.proto" for one in sources)]
        subprocess.run(command, check=True)
        return FileDescriptorSet.FromString(Path(out.name).read_bytes())


def _path(package: str) -> Path:
    return Path("k8s.io", *package.split(".")[2:])


def _roots() -> Iterator[str]:
    for info in (*sandbox.PLAIN, *sandbox.WORKLOADS):
        package = protobuf.PACKAGES.get(f"{info.group}/{info.version}".lstrip("/"))
        if package:
            yield f"{package}.{info.kind}"
    yield f"{protobuf.PACKAGES['autoscaling/v1']}.Scale"
    yield f"{_META}.DeleteOptions"
    yield protobuf.ENVELOPE


def _reach(name: str, messages: Messages, reached: Messages) -> None:
    if name in reached:
        return
    reached[name] = messages[name]
    for one in (messages[name], *messages[name].nested_type):
        for field in one.field:
            if field.type_name and field.type_name.removeprefix(".") in messages:
                _reach(field.type_name.removeprefix("."), messages, reached)


def _tags(folder: Path, message: str) -> dict[int, Tag]:
    """The tags of the Go type of a message, by the number of the field."""
    package, _, name = message.rpartition(".")
    for source in (folder / _path(package)).glob("*.go"):
        for struct, body in _STRUCT.findall(source.read_text()):
            if struct == name:
                return {int(number): _tag(kind, json) for kind, json, number in _FIELD.findall(body)}
    sys.exit(f"{message} has no Go type with tags: it needs a rule of its own in webhook/meta/protobuf.py")


def _tag(kind: str, json: str) -> Tag:
    name, *options = json.split(",")
    dropped = bool({"omitempty", "omitzero"} & set(options)) and not kind.startswith("*")
    return Tag(protobuf.INLINE if "inline" in options else name, dropped)


def _annotate(name: str, message: DescriptorProto, tags: dict[int, Tag]) -> None:
    for field in message.field:
        if field.number not in tags:
            sys.exit(f"{name}.{field.name} has no tag in Go")
        tag = tags[field.number]
        if tag.name != field.name:
            field.json_name = tag.name
        else:
            field.ClearField("json_name")
        is_message = field.type == FieldDescriptorProto.TYPE_MESSAGE
        if tag.dropped and not is_message and field.label != FieldDescriptorProto.LABEL_REPEATED:
            field.options.features.field_presence = _IMPLICIT


def _stripped(file: FileDescriptorProto, reached: Messages) -> FileDescriptorProto:
    """The file with nothing but its messages that are reached, in the edition that has both kinds of presence."""
    kept = FileDescriptorProto(name=file.package, package=file.package, syntax="editions", edition=Edition.EDITION_2023)
    kept.options.features.repeated_field_encoding = _EXPANDED
    kept.message_type.extend(one for one in file.message_type if f"{file.package}.{one.name}" in reached)
    used = {
        field.type_name.removeprefix(".").rpartition(".")[0]
        for message in kept.message_type
        for one in (message, *message.nested_type)
        for field in one.field
        if field.type_name
    }
    packages = {name.rpartition(".")[0] for name in reached}
    kept.dependency.extend(sorted(used & packages - {file.package}))
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else sys.exit(__doc__))
