"""Fetching all images of one ImageStreamImport from their registries, in bounded time (image-api 5.4)."""

from __future__ import annotations

import logging
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from webhook.distribution.access import Access, Rules
from webhook.distribution.client import RegistryClient
from webhook.distribution.credentials import Keyring
from webhook.distribution.failures import CorruptSecret, DistributionError, EndpointsFailed
from webhook.distribution.pacing import Pacing
from webhook.distribution.transport import Transport
from webhook.errors import Json
from webhook.image import manifest as manifests
from webhook.image import tag_priority
from webhook.image.configuration import BadContent
from webhook.image.reference import InvalidReference
from webhook.importer import anonymous, bounded, failures, plan, report
from webhook.importer.clients import Clients, Shared, Usages
from webhook.importer.fetched import Fetched, FetchedImage, FetchedRepository
from webhook.importer.plan import Want
from webhook.meta import timestamps

_log = logging.getLogger(__name__)

# Members of one manifest list; real ones have a dozen.
_MAX_MEMBERS = 200
# All that one import reads: ten times what five hundred tags have.
_MAX_BYTES = 128 * 1024 * 1024

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "arm64": "arm64"}
#: Of the whole time, what is kept for turning answers into a response.
_RESERVE = 0.2


class Importer:
    """Fetches imports. One instance serves all threads of a process, which share its tokens, sessions and budgets.

    `pacing` says when each registry may be asked. `max_bulk_import` bounds the tags of a repository import (-1: all),
    `total_timeout` the seconds of one import whatever the registries do. `access` says which registries are read, how,
    and with whose password.
    """

    def __init__(
        self,
        *,
        max_bulk_import: int = 50,
        total_timeout: float = 45.0,
        workers: int = 8,
        access: Access | None = None,
        connect_timeout: float = 8.0,
        read_timeout: float = 15.0,
        pacing: Pacing | None = None,
    ) -> None:
        self._max_bulk_import, self._total_timeout, self._workers = max_bulk_import, total_timeout, workers
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._access = access or Access()
        self._shared = Shared(pacing or Pacing())
        self._platform = _MACHINES.get(platform.machine(), "amd64"), "linux"

    def fetch(self, isi: Json, stream: Json | None, secrets: Sequence[Json]) -> Fetched:
        """Everything that a defaulted and validated ImageStreamImport asks for.

        `stream` is the target as stored: its tags name preferred platforms. `secrets` are the pull secrets of the
        namespace. Never raises for what registries do: each failure is the Status of its image.
        """
        begun, usages = time.monotonic(), Usages()
        fetched = self._fetched(isi, stream, secrets, begun + self._total_timeout - _RESERVE, usages)
        report.imported(isi, stream, fetched, usages.all(), time.monotonic() - begun)
        return fetched

    def rules(self) -> Rules:
        """What counts for an import that begins now; the same value as long as no file changes."""
        return self._access.rules()

    def transport(self, rules: Rules, deadline: float, total: float = math.inf) -> Transport:
        """Connections under these rules and the timeouts of imports, for no longer than `deadline` (time.monotonic)."""
        return Transport(
            deadline,
            outbound=rules.outbound,
            connect_timeout=self._connect_timeout,
            read_timeout=self._read_timeout,
            total=total,
        )

    def _fetched(
        self, isi: Json, stream: Json | None, secrets: Sequence[Json], deadline: float, usages: Usages
    ) -> Fetched:
        rules = self.rules()
        fetched = self._round(isi, stream, secrets, rules, deadline, usages, {})
        if not anonymous.is_due(fetched):
            return fetched
        found = anonymous.found(isi, stream, fetched)
        return anonymous.better(fetched, self._round(isi, stream, (), rules, deadline, usages, found))

    def _round(
        self,
        isi: Json,
        stream: Json | None,
        secrets: Sequence[Json],
        rules: Rules,
        deadline: float,
        usages: Usages,
        known: Mapping[Want, FetchedImage],
    ) -> Fetched:
        try:
            keyring = Keyring.from_secrets(secrets)
        except CorruptSecret as error:
            return _Corrupt(error).fetched(isi, stream)
        transport = self.transport(rules, deadline, _MAX_BYTES)
        try:
            clients = Clients(transport, self._shared, rules, keyring, deadline, usages)
            return _Round(clients, self, deadline, keeps=_answers_content(isi)).fetched(isi, stream, known)
        finally:
            transport.close()

    @property
    def shared(self) -> Shared:
        """What its imports share with each other."""
        return self._shared

    @property
    def max_bulk_import(self) -> int:
        """The most tags that a repository import brings."""
        return self._max_bulk_import

    @property
    def workers(self) -> int:
        """How many images are fetched at once."""
        return self._workers

    @property
    def platform(self) -> tuple[str, str]:
        """Architecture and operating system of this server, in Go's names."""
        return self._platform


class _Corrupt:
    """All images of an import fail alike: a pull secret cannot be read (section 12, item 13)."""

    def __init__(self, error: CorruptSecret) -> None:
        self._error = error

    def fetched(self, isi: Json, stream: Json | None) -> Fetched:
        wants = plan.images(isi, stream)
        images = tuple(
            want
            if isinstance(want, FetchedImage)
            else FetchedImage(want.tag, failure=failures.of_image(self._error, want.tried))
            for want in wants
        )
        spec = isi["spec"].get("repository")
        failure = failures.of_repository(self._error, spec["from"]["name"]) if spec else None
        return Fetched(images, FetchedRepository(failure=failure) if spec else None)


class _Round:
    """One pass over the registries with one keyring; `keeps` the raw manifests and configurations of the images."""

    def __init__(self, clients: Clients, importer: Importer, deadline: float, *, keeps: bool) -> None:
        self._clients, self._importer, self._deadline, self._keeps = clients, importer, deadline, keeps
        self._now = timestamps.now()

    def fetched(self, isi: Json, stream: Json | None, known: Mapping[Want, FetchedImage]) -> Fetched:
        """The images of an import; those that are `known` already are not fetched again."""
        wants = plan.images(isi, stream)
        repository = isi["spec"].get("repository")
        wanted = list(dict.fromkeys(want for want in wants if isinstance(want, Want) and want not in known))
        listing: list[Callable[[], Listing | FetchedImage]] = [lambda: self._list(repository)] if repository else []
        tasks: list[Callable[[], Listing | FetchedImage]] = [self._task(want) for want in wanted]
        results = bounded.run([*listing, *tasks], workers=self._importer.workers, deadline=self._deadline)
        listed = results.pop(0) if repository else None
        found = dict(known) | {
            want: result if isinstance(result, FetchedImage) else _late(want)
            for want, result in zip(wanted, results, strict=True)
        }
        images = tuple(want if isinstance(want, FetchedImage) else found[want] for want in wants)
        if not repository:
            return Fetched(images)
        return Fetched(images, self._repository(repository, listed, found))

    def _task(self, want: Want) -> Callable[[], FetchedImage]:
        return lambda: self._fetch(want)

    def _repository(
        self, spec: Json, listed: Listing | FetchedImage | None, found: dict[Want, FetchedImage]
    ) -> FetchedRepository:
        name = spec["from"]["name"]
        if not isinstance(listed, Listing):
            return FetchedRepository(failure=failures.late(name))
        if listed.failure is not None:
            return FetchedRepository(failure=listed.failure)
        repository, limit = plan.repository_of(spec), self._importer.max_bulk_import
        first, beyond = (listed.tags, ()) if limit < 0 else (listed.tags[:limit], listed.tags[limit:])
        # A tag that was fetched as an image of the same request is not "additional" (5.4).
        asked = {want.value: one for want, one in found.items() if want.like(repository)}
        more = tuple(_respelled(asked[tag], repository) for tag in beyond if tag in asked and asked[tag].image)
        missing = [want for want in map(repository.tagged, first) if want not in found]
        results = bounded.run(
            [self._task(want) for want in missing], workers=self._importer.workers, deadline=self._deadline
        )
        known = found | {want: result or _late(want) for want, result in zip(missing, results, strict=True)}
        images = tuple(known[repository.tagged(tag)] for tag in first) + more
        brought = {one.tag for one in more}
        return FetchedRepository(images, tuple(tag for tag in beyond if tag not in brought))

    def _list(self, spec: Json) -> Listing:
        name = spec["from"]["name"]
        try:
            want = plan.repository_of(spec)
            if not want.source.name:
                return Listing(failure=failures.nameless())
            return Listing(tuple(tag_priority.ordered(self._clients.listing(want).tags())))
        except InvalidReference as error:
            return Listing(failure=failures.unreadable(name, str(error)))
        except DistributionError as error:
            return Listing(failure=failures.of_repository(error, name))
        except Exception:
            _log.exception("listing the tags of %s failed", name)
            return Listing(failure=failures.ours(name))

    def _fetch(self, want: Want) -> FetchedImage:
        try:
            return self._clients.first(want, lambda client: self._image(client, want))
        except (DistributionError, BadContent) as error:
            return FetchedImage(want.tag, failure=failures.of_image(error, want.tried))
        except Exception:
            _log.exception("fetching %s failed", want.tried)
            return FetchedImage(want.tag, failure=failures.ours(want.tried))

    def _image(self, client: RegistryClient, want: Want) -> FetchedImage:
        manifest = self._manifest(client, want.value)
        if isinstance(manifest, manifests.Single):
            return FetchedImage(want.tag, self._single(client, want, manifest))
        if not want.preserve:
            return FetchedImage(want.tag, self._chosen(client, want, manifest))
        if len(manifest.entries) > _MAX_MEMBERS:
            raise BadContent(
                f"the list has {len(manifest.entries)} manifests, more than the {_MAX_MEMBERS} that are read"
            )
        members = tuple(self._member(client, want, entry) for entry in manifest.entries)
        image = manifests.list_image(manifest, want.pull_spec(manifest.digest), self._now)
        return FetchedImage(want.tag, image, members)

    def _member(self, client: RegistryClient, want: Want, entry: manifests.Entry) -> Json:
        """A member of a list, by the digest that the list knows it by; what fails is the member, and named as such."""
        own = replace(want, value=entry.digest, architecture="", os="")
        try:
            manifest = self._manifest(client, entry.digest)
            if isinstance(manifest, manifests.Single):
                image = self._single(client, own, manifest)
            else:
                image = self._chosen(client, own, manifest)
        except (DistributionError, BadContent) as error:
            raise EndpointsFailed([(own.tried, error)]) from error
        return {**image, "dockerImageReference": own.pull_spec(entry.digest)}

    def _chosen(self, client: RegistryClient, want: Want, listing: manifests.Listing) -> Json:
        architecture, os = self._importer.platform
        entry = manifests.choose(listing.entries, want.architecture or architecture, want.os or os)
        child = self._manifest(client, entry.digest)
        if not isinstance(child, manifests.Single):
            raise BadContent("unsupported manifest: a list inside a list")
        return self._single(client, want, child)

    def _manifest(self, client: RegistryClient, value: str) -> manifests.Single | manifests.Listing:
        raw, media_type, _ = client.manifest(value)
        return manifests.parse(raw, media_type)

    def _single(self, client: RegistryClient, want: Want, manifest: manifests.Single) -> Json:
        if manifest.lacks_sizes:
            names = {name for name, _, _ in manifest.layers}
            manifest = manifest.with_sizes({name: client.blob_size(name) for name in sorted(names)})
        config = client.blob(manifest.config) if manifest.config else b""
        image = manifests.single_image(manifest, config, want.pull_spec(manifest.digest))
        return image if self._keeps else manifests.without_content(image)


@dataclass(frozen=True)
class Listing:
    """The tags of a repository in their priority, or why there are none."""

    tags: tuple[str, ...] = ()
    failure: Json | None = None


def _answers_content(isi: Json) -> bool:
    """May the answer have raw manifests? Those of a list's members are in every preview (image-api 5.3)."""
    spec = isi["spec"]
    entries = [*(spec.get("images") or []), spec.get("repository") or {}]
    return not spec.get("import") or any(entry.get("includeManifest") for entry in entries)


def _respelled(one: FetchedImage, repository: Want) -> FetchedImage:
    """The image under the name that the user gave the repository; the members of a list stay with its own entry."""
    image = one.image or {}
    return FetchedImage(one.tag, {**image, "dockerImageReference": repository.pull_spec(image["metadata"]["name"])})


def _late(want: Want) -> FetchedImage:
    return FetchedImage(want.tag, failure=failures.late(want.tried))
