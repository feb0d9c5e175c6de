import ssl
import threading
from contextlib import contextmanager

import pytest
import trustme

from tests.unit.distribution.stub import Handler, Registry, Server, Server6
from webhook.distribution.connections import Outbound
from webhook.distribution.trust import Trust


@contextmanager
def running(context=None, host="127.0.0.1"):
    server = (Server6 if ":" in host else Server)((host, 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.registry = Registry(server.server_address[1], "https" if context else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.registry
    server.registry.let_go.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def registry():
    with running() as one:
        yield one


@pytest.fixture
def elsewhere():
    with running() as one:
        yield one


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with running(context) as one:
        yield one


@pytest.fixture
def trusting(authority):
    """A way out that trusts the authority of `secure`."""
    return Outbound(trust=Trust(authorities=authority.cert_pem.bytes().decode()))
