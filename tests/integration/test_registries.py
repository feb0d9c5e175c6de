"""What an administrator says about registries, at a running server: trust, passwords, mirrors, the allow-list."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.registry_images import catalogue
from tests.integration.api import IMPORTS, Api, import_request
from tests.integration.servers import READER, DockerRegistry, Server, make_certificate, refused

PHP = catalogue()["library/php"]["8.2"]


class Site:
    """A registry over https with a password, and a server whose own files know its authority and its password."""

    def __init__(self, folder: Path) -> None:
        certificate = make_certificate(folder / "registry")
        self.registry = DockerRegistry(folder / "registry", certificate=certificate, password=True)
        own = folder / "certs.d" / self.registry.address
        own.mkdir(parents=True)
        shutil.copy(certificate.with_name("ca.crt"), own)
        login = {"auth": base64.b64encode(READER.encode()).decode()}
        (folder / "config.json").write_text(json.dumps({"auths": {self.registry.address: login}}))
        self._rules = folder / "registries.yaml"
        self.write()
        files = ["--certs-dir", folder / "certs.d", "--registry-credentials", folder / "config.json"]
        files += ["--registries", self._rules]
        self.server = Server(folder / "data", "--no-controllers", "--workers", "1", *map(str, files))

    def write(self, **more: object) -> None:
        """A new file in the place of the old one: quay.io/acme is mirrored, and what else is said."""
        mirrored = {"source": "quay.io/acme", "mirrors": [f"{self.registry.address}/library"]}
        new = self._rules.with_suffix(".new")
        new.write_text(json.dumps({"imageTagMirrors": [mirrored], **more}))
        new.replace(self._rules)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    one = Site(tmp_path_factory.mktemp("site"))
    try:
        with one.server:
            yield one
    finally:
        one.registry.stop()


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    with Api(site.server) as one:
        yield one


@pytest.mark.parametrize("source", ["{}/library/php", "quay.io/acme/php"], ids=["directly", "through a mirror"])
def test_a_private_registry_is_read_with_the_servers_own_authorities_and_password(site, api, namespace, source):
    name = source.format(site.registry.address)
    answer = api.post(IMPORTS.format(namespace), import_request("app", (f"{name}:8.2", "v1"), insecure=False))
    found = answer.json["status"]["images"][0]
    assert found["status"]["status"] == "Success", found
    assert found["image"]["dockerImageReference"] == f"{name}@{PHP.digest}"


def test_the_allow_list_counts_as_soon_as_it_is_written(site, api, namespace):
    order = import_request("app", (f"{site.registry.address}/library/php:8.2", "v1"), insecure=False)
    site.write(allowedRegistriesForImport=[{"domainName": "quay.io"}])
    denied = api.post(IMPORTS.format(namespace), order)
    site.write()
    allowed = api.post(IMPORTS.format(namespace), order)
    assert (denied.code, allowed.code) == (422, 201)
    text = f'registry "{site.registry.address}" not allowed by whitelist: "quay.io:443"'
    assert text in denied.json["message"]


@pytest.mark.parametrize(
    ("flag", "content", "sentence"),
    [
        ("--registries", "mirrors: []", "there is no field `mirrors`"),
        ("--registry-credentials", "hunter2", "is not a Docker configuration with registry credentials"),
        ("--registry-ca", "hunter2", "holds no certificates in PEM"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_the_start(tmp_path, flag, content, sentence):
    path = tmp_path / "file"
    path.write_text(content)
    code, said = refused("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", flag, str(path))
    assert code == 1
    assert said.startswith(f"imagestreams: {path}")
    assert sentence in said
    assert "hunter2" not in said
