"""Server-side apply of random configs by three managers, against what its documentation promises (contract 6.2).

Lists have items: to the algorithm of Kubernetes an empty one is nothing that could be owned.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property import fields
from tests.property.fields import BOX, Flat, Paths
from webhook.image import schema as image_schema
from webhook.meta import managedfields
from webhook.meta.managedfields import Actor, ApplyConflict, Entries

GV = "image.openshift.io/v1"
SCHEMA = image_schema.for_kind("ImageStream")
NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"
MANAGERS = st.sampled_from(["argocd", "flux", "kubectl-cli"])
VALUES = st.sampled_from(["1", "2"])


def some(**values):
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=values)


SOURCES = st.builds(lambda tag: {"kind": "DockerImage", "name": f"quay.io/acme/app:{tag}"}, VALUES)
TAGS = st.dictionaries(
    st.sampled_from(["8.2", "8.3", "latest"]),
    some(
        **{"from": SOURCES},
        annotations=st.dictionaries(st.sampled_from(["note", "owner"]), VALUES),
        reference=st.booleans(),
        importPolicy=some(scheduled=st.booleans(), importMode=st.sampled_from(["Legacy", "PreserveOriginal"])),
        referencePolicy=some(type=st.sampled_from(["Source", "Local"])),
    ),
    min_size=1,
)
SPECS = some(
    lookupPolicy=some(local=st.booleans()),
    dockerImageRepository=st.sampled_from(["quay.io/acme/app", "quay.io/acme/web"]),
    tags=st.builds(lambda found: [{"name": name, **tag} for name, tag in found.items()], TAGS),
)
CONFIGS = st.builds(
    lambda meta, spec: {"apiVersion": GV, "kind": "ImageStream", "metadata": {"name": "php", **meta}, "spec": spec},
    some(
        labels=st.dictionaries(st.sampled_from(["team", "tier"]), VALUES),
        annotations=st.dictionaries(st.sampled_from(["a", "b"]), VALUES),
        finalizers=st.lists(st.sampled_from(["acme.io/x", "acme.io/y"]), unique=True, min_size=1),
    ),
    SPECS,
)
APPLIES = st.lists(st.tuples(MANAGERS, CONFIGS, st.booleans()), min_size=1, max_size=8)


def flat(obj: dict) -> Flat:
    """The fields that somebody may own, finalizers one by one."""
    meta = {key: value for key, value in obj.get("metadata", {}).items() if key != "name"}
    members = {f"[{one}]": one for one in meta.pop("finalizers", [])}
    found = fields.flat(
        {"metadata": {**meta, **({"finalizers": members} if members else {})}, "spec": obj.get("spec", {})}
    )
    return {path: value for path, value in found.items() if path != ("metadata",)}


def values(obj: dict) -> Flat:
    """The fields that have values, those of lists whole."""
    return {path: value for path, value in flat(obj).items() if value != BOX}


def sets(config: dict) -> Paths:
    """What an applier of this config owns."""
    found = flat(config)
    return {path for path in fields.said(found) if found[path] != BOX or fields.is_item(path)}


def apply(live: dict, config: dict, entries: Entries, manager: str, now: str, force: bool) -> tuple[dict, Entries]:
    return managedfields.apply(live, config, entries, Actor(manager, GV), SCHEMA, now, force=force)


class World:
    """What the three managers applied last and still own."""

    def __init__(self) -> None:
        self.live: dict = {"apiVersion": GV, "kind": "ImageStream", "metadata": {"name": "php"}}
        self.entries: Entries = []
        self.owned: dict[str, Paths] = {}

    def apply(self, manager: str, config: dict, force: bool) -> None:
        before, wanted, config_values = flat(self.live), sets(config), values(config)
        others = {one: paths for one, paths in self.owned.items() if one != manager}
        contested = {
            (one, path)
            for one, paths in others.items()
            for path in paths & set(config_values)
            if before.get(path, config_values[path]) != config_values[path]
        }
        if contested and not force:
            with pytest.raises(ApplyConflict) as refused:
                apply(self.live, config, self.entries, manager, NOW, force)
            causes = refused.value.details["causes"]
            told = {(one["message"].split('"')[1], one["field"]) for one in causes}
            assert told == {(one, fields.text(path)) for one, path in contested}
            return
        new, entries = apply(self.live, config, self.entries, manager, NOW, force)
        self._check(before, values(new), flat(new), config_values, wanted, manager, others)
        self.live, self.entries = new, entries
        for one, path in contested:
            self.owned[one] = self.owned[one] - {path}
        self.owned[manager] = wanted
        again = apply(new, config, entries, manager, LATER, force=False)
        assert again == (new, entries), "applying again changes nothing, not even a time"

    def _check(
        self,
        before: Flat,
        after: Flat,
        fields_after: Flat,
        config_values: Flat,
        wanted: Paths,
        manager: str,
        others: dict[str, Paths],
    ) -> None:
        assert {path: after.get(path) for path in config_values} == config_values, "all that is applied is there"
        kept = wanted.union(*others.values())
        gone = self.owned.get(manager, set()) - kept
        assert not {path for path in gone & set(fields_after) if not any(one[: len(path)] == path for one in kept)}
        assert {path for path in set(before) & kept if before[path] != BOX} <= set(after), "what others want stays"


@settings(max_examples=150, deadline=None)
@given(APPLIES)
def test_apply_keeps_its_promises(applies):
    world = World()
    for manager, config, force in applies:
        world.apply(manager, config, force)
