"""Many streams that follow one tag each at a busy registry: what they have come to, and whether all of them have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.integration.api import STREAMS, Api, Json, stream
from tests.integration.busy_registry import BusyRegistry, image

NAMESPACE = "busy"


def repository(number: int) -> str:
    """The repository that a stream follows."""
    return f"team/s{number}"


def create(api: Api, registry: BusyRegistry, first: int, last: int) -> None:
    """Create the streams from `s<first>` to the one before `s<last>`, each with one scheduled tag."""

    def one(number: int) -> None:
        source = {"kind": "DockerImage", "name": f"{registry.address}/{repository(number)}:latest"}
        tag = {"name": "latest", "from": source, "importPolicy": {"insecure": True, "scheduled": True}}
        answer = api.post(STREAMS.format(NAMESPACE), stream(f"s{number}", tags=[tag]))
        assert answer.code == 201, answer.body

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(first, last)))


def streams(api: Api) -> dict[str, Json]:
    """All streams by name, as they are now."""
    items = api.get(STREAMS.format(NAMESPACE)).json["items"]
    return {item["metadata"]["name"]: item for item in items}


def histories(found: dict[str, Json]) -> dict[str, list[str]]:
    """The images of the tag of each stream, newest first; empty while it has none."""
    return {
        name: [item["image"] for tag in one["status"].get("tags") or [] for item in tag.get("items") or []]
        for name, one in found.items()
    }


def settled(api: Api) -> bool:
    """Has every stream an image, and none a failure that would still be tried again?"""
    found = streams(api)
    failing = any(tag.get("conditions") for one in found.values() for tag in one["status"].get("tags") or [])
    return not failing and all(histories(found).values())


def wanted(count: int) -> dict[str, list[str]]:
    """What every stream should have in its history: the one image that its registry has, once."""
    return {f"s{number}": [image(repository(number)).digest] for number in range(count)}


def versions(api: Api) -> dict[str, str]:
    """The resource version of each stream: what a write would change."""
    return {name: one["metadata"]["resourceVersion"] for name, one in streams(api).items()}
