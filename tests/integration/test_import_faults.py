"""Registries that fail, each in one way: the tag keeps its image, and its condition says what happened."""

from __future__ import annotations

import functools
import socket
import ssl
from contextlib import ExitStack

import pytest
import trustme

from tests.unit.apiserver.api import Api, path
from tests.unit.distribution.fixtures import running
from tests.unit.distribution.stub import API_VERSION, errors
from webhook.apiserver import catalog
from webhook.apiserver.app import create_app
from webhook.distribution.access import Access
from webhook.image import manifest as manifests
from webhook.importer import setup
from webhook.importer.engine import Importer
from webhook.meta.identity import ADMINISTRATOR
from webhook.settings import Settings
from webhook.storage.memory import MemoryStore

MANIFEST = "/v2/team/app/manifests/v1"
OTHER = "sha256:" + "ee" * 32
TYPE = ("Content-Type", manifests.DOCKER_MANIFEST)


class Site:
    """A registry that works, and others to break; `names` is what the name service knows."""

    def __init__(self, api, names, cleanup):
        self.api, self.names, self._cleanup = api, names, cleanup
        self.good = self.registry()

    def registry(self, context=None, host="127.0.0.1"):
        return self._cleanup.enter_context(running(context, host))

    def imports(self, source, *, insecure=True):
        wanted = {"from": {"kind": "DockerImage", "name": source}, "to": {"name": "latest"}}
        wanted["importPolicy"] = {"insecure": insecure}
        body = {"kind": "ImageStreamImport", "apiVersion": "image.openshift.io/v1", "metadata": {"name": "app"}}
        return self.api.post(path("imagestreamimports"), {**body, "spec": {"import": True, "images": [wanted]}})

    def tag(self):
        return self.api.stream("app")["status"]["tags"][0]


@pytest.fixture
def site(monkeypatch):
    names = {}

    def resolve(host, port):
        found = names.get(host, [host])
        if isinstance(found, OSError):
            raise found
        return [answer for one in found for answer in socket.getaddrinfo(one, port, type=socket.SOCK_STREAM)]

    quick = functools.partial(Importer, total_timeout=1.5, connect_timeout=1, read_timeout=1)
    monkeypatch.setattr(setup, "Importer", quick)
    monkeypatch.setattr(catalog.access, "of", lambda _: Access(environ={}, resolve=resolve))
    app = create_app(MemoryStore(), Settings(), authenticate=lambda _: ADMINISTRATOR)
    with ExitStack() as cleanup:
        yield Site(Api(app.test_client()), names, cleanup)


def answering(site, answer, at=MANIFEST):
    registry = site.registry()
    registry.routes[at] = answer
    return f"{registry.host}/team/app:v1"


def asking_for_tokens(site, realm):
    registry = site.registry()
    challenge = f'Bearer realm="{realm or registry.url}/token",service="registry"'
    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", challenge)], b"")
    return registry


def down(site):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}/team/app:v1"


def slow(site):
    def trickle(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not request.server.registry.let_go.wait(0.1):
            request.wfile.write(b"{")

    return answering(site, trickle)


def closing(site):
    return answering(
        site, lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") and None
    )


def another_digest(site):
    return answering(site, (200, [TYPE, ("Docker-Content-Digest", OTHER)], b'{"schemaVersion": 2}'))


def web_page(site):
    return answering(site, (200, [("Content-Type", "text/html")], b"<!DOCTYPE html><p>Please sign in"))


def huge(site):
    return answering(site, (200, [TYPE, ("Content-Length", str(10 * 1024**3))], b"{"))


def endless(site):
    def chunks(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not request.server.registry.let_go.is_set():
            request.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    return answering(site, chunks)


def redirect_loop(site):
    return answering(site, (302, [("Location", MANIFEST)], b""))


def redirect_to_metadata(site):
    return answering(site, (307, [("Location", "http://169.254.169.254/latest/meta-data/")], b""))


def redirect_to_mapped_metadata(site):
    return answering(site, (307, [("Location", "http://[::ffff:169.254.169.254]/latest/meta-data/")], b""))


def token_service_at_metadata(site):
    return f"{asking_for_tokens(site, 'http://169.254.169.254').host}/team/app:v1"


def token_service_elsewhere_refuses(site):
    elsewhere = site.registry()
    elsewhere.routes["/token"] = (403, [], errors("DENIED"))
    return f"{asking_for_tokens(site, elsewhere.url).host}/team/app:v1"


def tokens_expire_at_once(site):
    registry = asking_for_tokens(site, "")
    registry.routes["/token"] = (200, [], b'{"token": "stale"}')
    registry.routes[MANIFEST] = (401, [], errors("UNAUTHORIZED", "token is expired"))
    return f"{registry.host}/team/app:v1"


def certificate_of_another_name(site):
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("registry.example.com").configure_cert(context)
    return f"{site.registry(context).host}/team/app:v1"


def only_ipv6_and_not_there(site):
    site.names["registry.test"] = ["::1"]
    return f"registry.test:{down(site).partition('/')[0].rpartition(':')[2]}/team/app:v1"


def no_such_name(site):
    site.names["registry.test"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return "registry.test/team/app:v1"


def name_of_a_private_address(site):
    site.names["registry.test"] = ["10.1.2.3"]
    return "registry.test/team/app:v1"


FAULTS = [
    pytest.param(down, "connection refused", id="the registry is down"),
    pytest.param(slow, "in time", id="the registry is slow"),
    pytest.param(closing, "the connection broke off", id="the connection closes in the middle of a body"),
    pytest.param(another_digest, f"content integrity error: the manifest is not {OTHER}", id="another digest"),
    pytest.param(web_page, "a web page (text/html) instead of a manifest", id="another content type"),
    pytest.param(huge, "an answer of 10737418240 bytes; at most 4194304 are taken", id="a manifest of 10 GiB"),
    pytest.param(endless, "an answer of more than 4194304 bytes", id="a manifest without an end"),
    pytest.param(redirect_loop, "a redirect loop", id="redirects go in a circle"),
    pytest.param(redirect_to_metadata, "a metadata address", id="a redirect to the metadata service"),
    pytest.param(redirect_to_mapped_metadata, "a metadata address", id="the same in the form of IPv6"),
    pytest.param(token_service_at_metadata, "a metadata address", id="the token service is the metadata service"),
    pytest.param(token_service_elsewhere_refuses, "may not have access", id="a token service elsewhere refuses"),
    pytest.param(tokens_expire_at_once, "may not have access", id="tokens expire at once"),
    pytest.param(only_ipv6_and_not_there, "connection refused", id="only IPv6, where nothing listens"),
    pytest.param(no_such_name, "no such host", id="the name does not exist"),
    pytest.param(name_of_a_private_address, "a private address", id="the name leads into a private network"),
]


def keeps_its_image(site, source, text, **more):
    digest = site.good.put_image("team/app", "v1")
    site.imports(f"{site.good.host}/team/app:v1")

    site.imports(source, **more)

    tag = site.tag()
    assert [item["image"] for item in tag["items"]] == [digest]
    (condition,) = [one for one in tag["conditions"] if one["type"] == "ImportSuccess"]
    assert condition["status"] == "False"
    assert text in condition["message"]
    assert source in condition["message"]


@pytest.mark.parametrize(("fault", "text"), FAULTS)
def test_a_fault_leaves_the_image_and_is_told_by_the_condition(site, fault, text):
    keeps_its_image(site, fault(site), text)


def test_a_certificate_of_another_name_leaves_the_image_and_is_told_by_the_condition(site):
    source = certificate_of_another_name(site)
    keeps_its_image(site, source, "tls: failed to verify certificate", insecure=False)


def test_a_registry_that_has_only_ipv6_is_read(site):
    registry = site.registry(host="::1")
    site.names["registry.test"] = ["::1"]
    digest = registry.put_image("team/app", "v1")
    site.imports(f"registry.test:{registry.host.rpartition(':')[2]}/team/app:v1")
    assert site.tag()["items"][0]["image"] == digest


def test_an_expired_token_is_replaced_once(site):
    registry = asking_for_tokens(site, "")
    registry.put_image("team/app", "v1")
    image = registry.routes[MANIFEST]
    given = iter(["stale", "fresh", "never asked for"])
    registry.routes["/token"] = lambda _: (200, [], b'{"token": "%s"}' % next(given).encode())
    registry.routes[MANIFEST] = lambda request: (
        image if request.headers["Authorization"] == "Bearer fresh" else (401, [], errors("UNAUTHORIZED"))
    )
    site.imports(f"{registry.host}/team/app:v1")
    assert "conditions" not in site.tag()
    assert len(registry.seen("/token")) == 2


def test_a_token_service_on_another_host_is_asked(site):
    elsewhere = site.registry()
    elsewhere.routes["/token"] = (200, [], b'{"token": "elsewhere"}')
    registry = asking_for_tokens(site, elsewhere.url)
    digest = registry.put_image("team/app", "v1")
    site.imports(f"{registry.host}/team/app:v1")
    assert site.tag()["items"][0]["image"] == digest
    assert registry.seen(MANIFEST)[0]["headers"]["Authorization"] == "Bearer elsewhere"
