"""Which namespaces admission must leave alone."""

import pytest

from webhook.view.namespaces import RUN_LEVEL, RunLevels


def namespace(name, **labels):
    return {"metadata": {"name": name, "labels": labels, "annotations": {"much": "more"}}}


def level(value):
    return {RUN_LEVEL: value}


def test_only_namespaces_with_a_run_level_are_kept_and_only_their_label():
    levels = RunLevels()
    levels.replace([namespace("shop", team="checkout"), namespace("infra", **level("0"))], "7")
    assert levels.get("shop") is None
    assert levels.get("infra") == {"metadata": {"name": "infra", "labels": level("0")}}


@pytest.mark.parametrize(
    ("kind", "labels", "known"),
    [
        pytest.param("ADDED", level("1"), True, id="a new namespace with a level is known"),
        pytest.param("MODIFIED", {}, False, id="one that loses its level is forgotten"),
        pytest.param("DELETED", level("0"), False, id="a deleted one is forgotten"),
    ],
)
def test_changes_are_followed(kind, labels, known):
    levels = RunLevels()
    levels.replace([namespace("infra", **level("0"))], "7")
    levels.apply(kind, namespace("infra", **labels))
    assert (levels.get("infra") is not None) is known
