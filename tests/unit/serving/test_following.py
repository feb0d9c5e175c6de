"""When a worker says that it is ready, and what it restores and saves."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from tests.unit.admission.streams import SHOP
from webhook.image import lookup
from webhook.serving.following import Following, checks
from webhook.serving.server import Life
from webhook.telemetry import VIEW_HEARD
from webhook.tls.authority import Authority
from webhook.view.index import View
from webhook.view.namespaces import RunLevels
from webhook.view.snapshot import Snapshot


class Lived:
    """The life of one worker."""

    def __init__(self):
        self.told = threading.Event()
        self.over = threading.Event()
        self.drained = False

    def life(self):
        return Life(self.over.is_set, self.told.set, self.told.is_set, lambda: self.drained)


class Client:
    """An API that lists nothing, or does not answer."""

    def __init__(self, view, *, answers=True):
        self.view, self.answers = view, answers

    def pages(self, path, decoding, **query):
        if not self.answers:
            raise OSError("refused")
        yield decoding.page(b'{"metadata":{"resourceVersion":"7"},"items":[]}')

    def watch(self, path, decoding, **query):
        raise OSError("refused")


@pytest.fixture
def lived():
    lived = Lived()
    yield lived
    lived.over.set()


def following(view, client, folder, **more):
    return Following(client, view, RunLevels(), folder / "absent.crt", **more)


def test_a_worker_is_ready_after_its_lists_however_soon_they_come(lived, tmp_path):
    view = View()
    found = following(view, Client(view), tmp_path)
    for reflector in found.reflectors:
        start = reflector.start
        # As on a machine where the list is there before the next line runs.
        reflector.start = lambda start=start, reflector=reflector: (start(), reflector.synced.wait(10))
    found.start(lived.life())
    assert lived.told.wait(10)


def test_the_gauges_are_right_when_a_worker_says_that_it_is_ready(lived, tmp_path):
    heard = VIEW_HEARD.labels("imagestreams")
    heard.set(0)
    seen = []

    def ready():
        seen.append(
            REGISTRY.get_sample_value("imagestreams_view_heard_timestamp_seconds", {"resource": "imagestreams"})
        )
        lived.told.set()

    view = View()
    following(view, Client(view), tmp_path).start(Life(lived.over.is_set, ready, lived.told.is_set, lambda: False))
    assert lived.told.wait(10)
    assert seen[0] > 0


def test_a_worker_with_a_snapshot_is_ready_while_the_api_is_away(lived, tmp_path):
    snapshot = Snapshot(tmp_path / "view", "here")
    snapshot.save(View.from_objects(SHOP), "noon")
    view = View()
    following(view, Client(view, answers=False), tmp_path, snapshot=snapshot).start(lived.life())
    assert lived.told.wait(10)
    assert view.stream("shop", "app") is not None


def test_a_snapshot_is_written_when_something_is_new_and_never_from_a_snapshot(tmp_path):
    snapshot, view = Snapshot(tmp_path / "view", "here"), View()
    found = following(view, Client(view), tmp_path, snapshot=snapshot)
    found.save()
    assert not snapshot.path.exists()
    view.restore_streams({}, "noon")
    found.save()
    assert not snapshot.path.exists()
    view.replace_streams([], "7")
    found.save()
    snapshot.path.unlink()
    found.save()
    assert not snapshot.path.exists()
    view.advance_streams("8")
    found.save()
    assert snapshot.load().position == "8"


def test_readiness_needs_the_view_a_valid_certificate_and_no_stop(lived, tmp_path):
    authority, view = Authority(tmp_path), View()
    authority.ensure(["localhost"])
    asked = checks(view, lived.life(), authority.server.certificate)
    assert asked["view"]() == "not every worker knows the image streams"
    lived.told.set()
    view.restore_streams({"shop": {"app": lookup.record(SHOP[0])}}, "noon")
    assert asked["view"]() == "the snapshot of noon"
    view.replace_streams([], "7")
    assert asked["view"]() is None
    assert (asked["certificate"](), asked["shutdown"]()) == (None, None)
    lived.drained = True
    assert asked["shutdown"]() == "the server is stopping"


def test_an_expired_certificate_is_not_ready(lived, tmp_path):
    authority = Authority(tmp_path)
    authority.ensure(["localhost"], datetime.now(UTC) - timedelta(days=400))
    asked = checks(View(), lived.life(), authority.server.certificate)
    assert "expired at" in asked["certificate"]()
