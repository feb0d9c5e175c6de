"""Ways out: through proxies, and only where they may go."""

import socket
import ssl
import threading
import time
from base64 import b64encode
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from tests.unit.distribution.fixtures import running
from webhook.distribution.connections import Outbound
from webhook.distribution.egress import Egress
from webhook.distribution.failures import EgressRefused, Unreachable
from webhook.distribution.proxies import from_environment
from webhook.distribution.transport import Transport
from webhook.distribution.trust import Trust


class Proxy(StreamRequestHandler):
    """Connects everything to the server's `target`, and remembers what it was asked for."""

    def handle(self):
        head = self._head()
        self.server.asked.append(head)
        if self.server.refusal:
            self.wfile.write(self.server.refusal)
            return
        with socket.create_connection(self.server.target) as target:
            if head.startswith("CONNECT "):
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                method, url, rest = head.split(" ", 2)
                target.sendall(f"{method} /{url.split('/', 3)[3]} {rest}".encode())
            back = threading.Thread(target=self._copy, args=(target, self.connection))
            back.start()
            self._copy(self.connection, target)
            back.join()

    def _head(self):
        lines = []
        while not lines or lines[-1] not in (b"\r\n", b""):
            lines.append(self.rfile.readline())
        return b"".join(lines).decode()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class ProxyServer(ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that leaves is none."""


@pytest.fixture(params=["http", "https"])
def proxy(request, authority):
    server = ProxyServer(("127.0.0.1", 0), Proxy)
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.asked, server.refusal, server.target = [], b"", None
    server.url = f"{request.param}://user:hunter2@127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def named(authority):
    """A registry with a certificate for `registry.test`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("registry.test").configure_cert(context)
    with running(context) as one:
        yield one


def address(registry):
    host, _, port = registry.host.partition(":")
    return host, int(port)


@pytest.fixture
def get(authority):
    transports = []

    def fetch(url, **environ):
        trust = Trust(authorities=authority.cert_pem.bytes().decode())
        outbound = Outbound(Egress(loopback=True, resolve=to_loopback), trust, from_environment(environ))
        transports.append(Transport(time.monotonic() + 5, outbound=outbound))
        return transports[-1].get(url, {"Authorization": "Basic x"}, limit=1000)

    yield fetch
    for one in transports:
        one.close()


def to_loopback(_host, port):
    return socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)


def test_https_goes_through_a_tunnel_of_the_proxy(proxy, named, get):
    proxy.target = address(named)
    assert get("https://registry.test/v2/", HTTPS_PROXY=proxy.url).status == 200
    (head,) = proxy.asked
    assert head.startswith("CONNECT registry.test:443 ")
    login = b64encode(b"user:hunter2").decode()
    assert f"basic {login}".lower() in head.lower()
    assert "Basic x" not in head
    assert named.requests[0]["headers"]["Authorization"] == "Basic x"
    assert "Proxy-Authorization" not in named.requests[0]["headers"]


def test_plain_http_is_asked_of_the_proxy(proxy, registry, get):
    proxy.target = address(registry)
    assert get("http://registry.test/v2/", HTTP_PROXY=proxy.url).status == 200
    assert proxy.asked[0].startswith("GET http://registry.test/v2/ ")


def test_the_certificate_must_be_the_registrys_behind_a_proxy_too(proxy, secure, get):
    proxy.target = address(secure)
    with pytest.raises(Unreachable, match="failed to verify certificate"):
        get("https://registry.test/v2/", HTTPS_PROXY=proxy.url)


def test_what_no_proxy_names_is_reached_directly(proxy, named, get):
    url = f"https://registry.test:{address(named)[1]}/v2/"
    assert get(url, HTTPS_PROXY=proxy.url, NO_PROXY=".test").status == 200
    assert proxy.asked == []


def test_a_proxy_is_not_asked_for_addresses_that_are_refused(proxy, get):
    with pytest.raises(EgressRefused, match="a metadata address"):
        get("http://169.254.169.254/latest/", HTTP_PROXY=proxy.url)
    assert proxy.asked == []


def test_a_proxy_that_is_away_is_named_without_its_password(get):
    with pytest.raises(Unreachable, match="the proxy does not connect: connection refused") as caught:
        get("https://registry.test/v2/", HTTPS_PROXY="http://user:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(caught.value)


def test_a_proxy_that_refuses_says_with_what(proxy, get):
    proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(Unreachable, match="the proxy does not connect: it answered 407"):
        get("https://registry.test/v2/", HTTPS_PROXY=proxy.url)


def test_without_a_proxy_the_name_in_the_certificate_is_the_one_that_was_asked_for(named, get):
    assert get(f"https://registry.test:{address(named)[1]}/v2/").status == 200
    assert named.requests[0]["headers"]["Host"] == f"registry.test:{address(named)[1]}"


def test_each_redirect_is_checked(registry, get):
    registry.routes["/away"] = (302, [("Location", "http://10.1.2.3/")], b"")
    outbound = Outbound(Egress(loopback=True))
    transport = Transport(time.monotonic() + 5, outbound=outbound)
    with pytest.raises(EgressRefused, match=r'Get "http://10.1.2.3/": dial 10.1.2.3: a private address'):
        transport.get(f"{registry.url}/away", limit=100)
    transport.close()
