"""What the server says about a resource: the one description behind discovery, OpenAPI and routing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SubresourceInfo:
    """A subresource; `group` and `version` are of its kind, None where they are those of the resource."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class ResourceInfo:
    """A resource: its names, its scope and what can be done with it."""

    group: str
    version: str
    resource: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[SubresourceInfo, ...] = ()

    @property
    def group_version(self) -> str:
        """`image.openshift.io/v1`; the core group is just `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path below which the resources of the group version live, without a leading slash."""
        return f"apis/{self.group_version}" if self.group else f"api/{self.version}"
