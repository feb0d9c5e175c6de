"""Who owns which field, worked out naively: objects are flat dictionaries of paths, owners have sets of paths.

A path is a tuple of names; an item of `tags` is `[v1]`. A field that has fields below itself has the value `BOX`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

BOX = "(fields below)"
Path = tuple[str, ...]
Paths = set[Path]
Flat = dict[Path, Any]
# (manager, operation, subresource)
Who = tuple[str, str, str]
Owners = dict[Who, Paths]


def flat(obj: dict[str, Any], path: Path = ()) -> Flat:
    """An object as a flat dictionary; `from` is one value."""
    found: Flat = {}
    for name, value in obj.items():
        below = (*path, name)
        if name == "tags":
            value = {f"[{one['name']}]": one for one in value}
        if isinstance(value, dict) and name != "from":
            found |= {below: BOX, **flat(value, below)}
        else:
            found[below] = value
    return found


def nested(fields: Flat) -> dict[str, Any]:
    """The object again, its tags as a dictionary of `[v1]`."""
    root: dict[str, Any] = {}
    for path, value in sorted(fields.items(), key=lambda one: len(one[0])):
        node = root
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = {} if value == BOX else value
    return root


def is_item(path: Path) -> bool:
    """True for an item of the tags, which is no field that a schema declares."""
    return path[-1].startswith("[")


def said(config: Flat) -> Paths:
    """The fields that a config owns: values, items, and containers that are empty."""
    above = {path[:length] for path in config for length in range(len(path))}
    return {path for path, value in config.items() if value != BOX or is_item(path) or path not in above}


def named(paths: Iterable[Path]) -> Paths:
    """The paths and the declared fields above them."""
    found = set(paths)
    for path in list(found):
        found |= {path[:length] for length in range(1, len(path)) if not is_item(path[:length])}
    return found


def difference(old: Flat, new: Flat) -> tuple[Paths, Paths]:
    """The fields that the new object sets, and those that it lacks."""
    taken = {
        path for path, value in new.items() if path not in old or (value != old[path] and BOX not in (value, old[path]))
    }
    return taken, set(old) - set(new)


def without(fields: Flat, gone: Path) -> Flat:
    """The object without a field and all below."""
    return {path: value for path, value in fields.items() if path[: len(gone)] != gone}


def update(owners: Owners, who: Who, old: Flat, new: Flat) -> Owners:
    """The owners after a write that is no apply."""
    taken, removed = difference(old, new)
    after = {one: paths - taken - removed for one, paths in owners.items()}
    after[who] = (owners.get(who, set()) - removed) | taken
    return {one: paths for one, paths in after.items() if paths}


def merged(owners: Owners, who: Who, live: Flat, config: Flat) -> Flat:
    """The object after an apply: with the config, without what only this manager wanted and wants no more."""
    new = {**live, **config}
    before = named(owners.get(who, set()))
    # Every config has a name, hence metadata.
    wanted = {("metadata",)} | named(said(config).union(*(paths for one, paths in owners.items() if one != who)))
    left = visible({path: value for path, value in new.items() if all(one in wanted for one in at_stake(path, before))})
    for path in before - left - {("metadata",)}:
        new = without(new, path)
    return new


def at_stake(path: Path, before: Paths) -> list[Path]:
    """From the first field down that the manager had applied: what must be wanted by somebody for the path to stay."""
    above = [path[:length] for length in range(1, len(path) + 1)]
    first = next((index for index, one in enumerate(above) if one in before), len(above))
    return above[first:]


def visible(fields: Flat) -> Paths:
    """The fields that can be told to be there: a list without items cannot, an object without fields can."""
    shown: Paths = set()
    filled: Paths = set()
    for path in sorted(fields, key=len, reverse=True):
        empty = path not in filled and path[-1] != "tags"
        if fields[path] != BOX or is_item(path) or empty or any(one[:-1] == path for one in shown):
            shown.add(path)
        filled.add(path[:-1])
    return shown


def conflicts(owners: Owners, who: Who, live: Flat, new: Flat) -> set[tuple[str, Path]]:
    """The fields that others own and the apply changes, with the managers that own them."""
    taken, _ = difference(live, new)
    return {(one[0], path) for one, paths in owners.items() if one != who for path in paths & taken}


def applied(owners: Owners, who: Who, live: Flat, new: Flat, config: Flat) -> Owners:
    """The owners after an apply that had no conflicts, or was forced."""
    taken, removed = difference(live, new)
    after = {one: paths - taken - removed for one, paths in owners.items()}
    after[who] = said(config)
    return {one: paths for one, paths in after.items() if paths}


def text(path: Path) -> str:
    """The path as messages print it."""
    return "".join(f'[name="{one[1:-1]}"]' if one.startswith("[") else f".{one}" for one in path)
