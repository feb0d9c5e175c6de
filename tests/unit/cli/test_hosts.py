"""Registries on the command line."""

from __future__ import annotations

import click
import pytest

from webhook.cli.hosts import RegistryHost


@pytest.mark.parametrize(
    "text",
    ["", "registry.example.com", "registry.example.com:5000", "registry:5000", "localhost", "127.0.0.1:5000"],
)
def test_a_registry_is_taken_as_it_is_written(text):
    assert RegistryHost().convert(text, None, None) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://registry.example.com", id="a URL"),
        pytest.param("registry.example.com/acme", id="a repository"),
        pytest.param("registry", id="a word, which image names take for a namespace"),
        pytest.param("registry.example.com:https", id="a port without a number"),
        pytest.param("my registry:5000", id="a space"),
    ],
)
def test_what_image_names_cannot_begin_with_is_refused_with_an_example(text):
    with pytest.raises(click.BadParameter, match=r"is no registry; write it like registry\.example\.com:5000"):
        RegistryHost().convert(text, None, None)
