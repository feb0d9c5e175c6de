"""Which resource serves a path: every kind wired to its strategy, its schema and its columns."""

from __future__ import annotations

from typing import Any

from webhook.apiserver import resources, sandbox, sandbox_schema
from webhook.apiserver.images import ImageStrategy
from webhook.apiserver.imagesignatures import ImageSignatureRest
from webhook.apiserver.imagestreamimages import ImageStreamImageRest
from webhook.apiserver.imagestreamimports import ImageStreamImportRest
from webhook.apiserver.imagestreammappings import ImageStreamMappingRest
from webhook.apiserver.imagestreams import (
    FIELDS,
    ImageStreamStatusStrategy,
    ImageStreamStrategy,
    InternalStreamStrategy,
    StreamRules,
)
from webhook.apiserver.imagestreamtags import ImageStreamTagRest
from webhook.apiserver.imagetags import ImageTagRest
from webhook.apiserver.namespaces import NamespaceRest, NamespaceStrategy, being_terminated
from webhook.apiserver.requestinfo import RequestInfo
from webhook.apiserver.rest import Call, Rest
from webhook.apiserver.sandbox_subresources import EphemeralContainersRest, EphemeralContainersStrategy, ScaleRest
from webhook.apiserver.stored import StatusRest, StoredRest
from webhook.apiserver.strategy import Strategy
from webhook.apiserver.streams import Streams
from webhook.apiserver.streamviews import LayersRest, SecretsRest
from webhook.distribution import access
from webhook.errors import Json, NotFound
from webhook.image import printing
from webhook.image import schema as image_schema
from webhook.image.allowlist import AllowList
from webhook.importer import setup
from webhook.meta import timestamps
from webhook.meta.resources import ResourceInfo
from webhook.settings import Settings
from webhook.storage.store import Store

_ALWAYS_THERE = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""The namespaces that every API server of Kubernetes makes by itself."""


class Catalog:
    """Resources by group, version, name and subresource."""

    def __init__(self, *, namespaces_are_real: bool) -> None:
        self._rests: dict[tuple[str, str, str, str], Rest] = {}
        self._namespaces_are_real = namespaces_are_real

    def add(self, rest: Rest) -> Rest:
        """Serve this resource."""
        info = rest.info
        self._rests[info.group, info.version, info.resource, rest.subresource] = rest
        return rest

    def find(self, group: str, version: str, resource: str, subresource: str) -> Rest | None:
        """The resource of a path, or None."""
        return self._rests.get((group, version, resource, subresource))

    def check_namespace(self, info: RequestInfo, name: str) -> None:
        """Refuse a new object `name` where its namespace is not there or is being deleted (contract 3.10).

        Standalone, any name of a namespace works without its object.
        """
        rest = self.find("", "v1", "namespaces", "")
        if not info.namespace or not isinstance(rest, StoredRest):
            return
        found = rest.find("", info.namespace)
        if found is not None and "deletionTimestamp" in found["metadata"]:
            raise being_terminated(info.resource, info.group, name, info.namespace)
        if found is None and self._namespaces_are_real and info.namespace not in _ALWAYS_THERE:
            raise NotFound.of("namespaces", "", info.namespace)

    def settle_namespace(self, call: Call) -> None:
        """After a write: a namespace that waited for what was in it may be free to go."""
        rest = self.find("", "v1", "namespaces", "")
        if call.namespace and not call.dry_run and isinstance(rest, NamespaceRest):
            rest.settle(call, call.namespace)

    def namespaced(self) -> tuple[StoredRest, ...]:
        """All stored kinds that live in namespaces."""
        rests = (rest for (*_, subresource), rest in self._rests.items() if not subresource)
        return tuple(rest for rest in rests if isinstance(rest, StoredRest) and rest.info.namespaced)

    def infos(self) -> list[ResourceInfo]:
        """What discovery tells of; each resource once."""
        return [rest.info for (*_, subresource), rest in self._rests.items() if not subresource]


def build(store: Store, settings: Settings, mutate: sandbox.Mutate | None) -> Catalog:
    """All resources of the standalone server."""
    catalog = Catalog(namespaces_are_real=settings.strict)
    plain = {info.resource: _plain(catalog, store, info) for info in sandbox.PLAIN}
    for info in sandbox.WORKLOADS:
        _workload(catalog, store, info, mutate)
    _image_group(catalog, store, settings, plain)
    namespaces = plain["namespaces"]
    assert isinstance(namespaces, NamespaceRest)
    namespaces.contents = catalog.namespaced()
    return catalog


def _plain(catalog: Catalog, store: Store, info: ResourceInfo) -> StoredRest:
    strategies: dict[str, type[Strategy]] = {"secrets": sandbox.SecretStrategy, "namespaces": NamespaceStrategy}
    strategy = strategies.get(info.resource, sandbox.PlainStrategy)()
    schema = sandbox_schema.for_kind(info.group, info.kind)
    kind = NamespaceRest if info.resource == "namespaces" else StoredRest
    rest = kind(info, store, strategy, schema=schema, unconditional_update=True)
    catalog.add(rest)
    return rest


def _workload(catalog: Catalog, store: Store, info: ResourceInfo, mutate: sandbox.Mutate | None) -> None:
    schema = sandbox_schema.for_kind(info.group, info.kind)
    strategy = sandbox.WorkloadStrategy(info, mutate)
    catalog.add(StoredRest(info, store, strategy, schema=schema, unconditional_update=True))
    if any(one.name == "status" for one in info.subresources):
        status = sandbox.WorkloadStatusStrategy()
        catalog.add(StatusRest(info, store, status, schema=schema, unconditional_update=True))
    if info.resource in sandbox.SCALABLE:
        alone = StoredRest(info, store, sandbox.WorkloadStrategy(info, None), schema=schema, unconditional_update=True)
        catalog.add(ScaleRest(alone))
    if info.resource == "pods":
        debugging = EphemeralContainersStrategy(info, mutate)
        catalog.add(EphemeralContainersRest(info, store, debugging, schema=schema, unconditional_update=True))


def _image_group(catalog: Catalog, store: Store, settings: Settings, plain: dict[str, StoredRest]) -> None:
    def stored(kind: type[StoredRest], strategy: Any, info: ResourceInfo, **more: Any) -> StoredRest:
        schema, columns = image_schema.for_kind(info.kind), printing.columns(info.kind)
        return kind(info, store, strategy, schema=schema, columns=columns, row=_row, **more)

    internal: StoredRest
    registries = access.of(settings)

    def load(namespace: str, name: str) -> Json | None:
        found = internal.find(namespace, name)
        return None if found is None else internal.strategy.decorate(found)

    rules = StreamRules(
        import_mode=settings.import_mode,
        integrated=settings.integrated_registry,
        public=settings.public_registry,
        load=load,
        limit_ranges=lambda namespace: _all(plain["limitranges"], namespace),
        may_pull=_everybody_may,
        allowed=lambda: _allowed(registries, settings),
    )
    internal = stored(StoredRest, InternalStreamStrategy(rules), resources.IMAGESTREAMS, tracked=False)
    internal_status = stored(StatusRest, ImageStreamStatusStrategy(rules), resources.IMAGESTREAMS, tracked=False)
    internal_images = stored(StoredRest, ImageStrategy(), resources.IMAGES, tracked=False)
    status = stored(StatusRest, ImageStreamStatusStrategy(rules), resources.IMAGESTREAMS)
    streams = Streams(internal, internal_status, internal_images)
    catalog.add(stored(StoredRest, ImageStrategy(), resources.IMAGES))
    catalog.add(stored(StoredRest, ImageStreamStrategy(rules), resources.IMAGESTREAMS, fields=FIELDS))
    catalog.add(status)
    _views(catalog, streams, settings, plain["secrets"], registries)


def _views(
    catalog: Catalog, streams: Streams, settings: Settings, secrets: StoredRest, registries: access.Access
) -> None:
    mode = settings.import_mode
    tag, image, command = resources.IMAGESTREAMTAGS, resources.IMAGESTREAMIMAGES, resources.IMAGESTREAMIMPORTS
    catalog.add(ImageStreamTagRest(tag, streams, mode, schema=image_schema.for_kind(tag.kind), row=_row))
    catalog.add(ImageStreamImageRest(image, streams, schema=image_schema.for_kind(image.kind), row=_row))
    itag, signature = resources.IMAGETAGS, resources.IMAGESIGNATURES
    catalog.add(ImageTagRest(itag, streams, mode, schema=image_schema.for_kind(itag.kind), row=_row))
    catalog.add(ImageSignatureRest(signature, streams.images, schema=image_schema.for_kind(signature.kind)))
    catalog.add(LayersRest(resources.IMAGESTREAMS, streams))
    catalog.add(SecretsRest(resources.IMAGESTREAMS, secrets))
    push = resources.IMAGESTREAMMAPPINGS
    schema = image_schema.for_kind(push.kind)
    catalog.add(ImageStreamMappingRest(push, streams, settings.integrated_registry, schema=schema))
    catalog.add(
        ImageStreamImportRest(
            command,
            streams,
            secrets,
            setup.importer(settings, registries),
            mode,
            retrying=settings.retries_imports,
            at_once=settings.imports,
            schema=image_schema.for_kind(command.kind),
            allowed=lambda: _allowed(registries, settings),
        )
    )


def _row(obj: Json) -> list[Any]:
    return printing.row(obj, timestamps.now())


def _all(rest: StoredRest, namespace: str) -> list[Json]:
    return [rest.raw(record) for record in rest.store.list(rest.key, namespace).records]


def _allowed(registries: access.Access, settings: Settings) -> AllowList:
    """The allow-list of this moment."""
    return AllowList(registries.registries().allowed_registries_for_import, settings.integrated_registry)


def _everybody_may(_call: Call, _namespace: str, _name: str) -> str | None:
    """Standalone there is one user, the administrator, who may pull from everywhere."""
    return None
