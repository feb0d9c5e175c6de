import math
import threading
import time

import pytest

from webhook.distribution.failures import TooLarge, Unreachable
from webhook.distribution.transport import Transport


def trickle(registry):
    """Sends one byte of its headers after the other, each soon enough for a timeout per read."""

    def answer(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        started.set()
        while not registry.let_go.wait(0.02):
            request.wfile.write(b"x")
            request.wfile.flush()

    started = threading.Event()
    registry.routes["/slow"] = answer
    return started


def test_closing_cuts_a_request_that_somebody_waits_on(registry):
    started = trickle(registry)
    transport = Transport(time.monotonic() + 30)
    failed = []

    def wait():
        try:
            transport.get(f"{registry.url}/slow", limit=100)
        except Unreachable as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    started.wait(5)
    transport.close()
    thread.join(5)
    assert not thread.is_alive()
    assert failed


def test_what_is_overdue_is_cut_and_the_rest_goes_on(registry):
    started = trickle(registry)
    registry.routes["/quick"] = (200, [], b"{}")
    transport = Transport(math.inf)
    failed = []

    def wait():
        try:
            transport.get(f"{registry.url}/slow", limit=100, deadline=time.monotonic() + 1)
        except Unreachable as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    started.wait(5)
    while thread.is_alive():
        transport.cut_overdue()
        thread.join(0.05)
    assert failed
    assert transport.get(f"{registry.url}/quick", limit=100).body == b"{}"


def test_after_closing_no_request_is_made(registry):
    transport = Transport(time.monotonic() + 30)
    transport.close()
    with pytest.raises(Unreachable):
        transport.get(f"{registry.url}/v2/", limit=100)
    assert registry.requests == []


def test_no_request_is_made_after_the_deadline(registry):
    with pytest.raises(Unreachable, match="no time left"):
        Transport(time.monotonic()).get(f"{registry.url}/v2/", limit=100)
    assert registry.requests == []


def test_messages_do_not_show_the_query_of_an_address():
    with pytest.raises(Unreachable) as caught:
        Transport(time.monotonic() + 5).get("http://127.0.0.1:1/blob?signature=hunter2", limit=100)
    assert "hunter2" not in str(caught.value)


def test_all_answers_together_are_bounded(registry):
    registry.routes["/part"] = (200, [], b"x" * 60)
    transport = Transport(math.inf, total=100)
    for _ in range(2):
        transport.get(f"{registry.url}/part", limit=100)
    with pytest.raises(TooLarge, match="this import has read 100 bytes already"):
        transport.get(f"{registry.url}/part", limit=100)
