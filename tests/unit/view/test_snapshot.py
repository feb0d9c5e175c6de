"""The view on disk: what is read back, and what is not believed."""

import os

import msgspec
import pytest

from tests.unit.admission.streams import SHOP, V2, event, stream
from webhook.image.lookup import ImageStream
from webhook.view.index import View
from webhook.view.snapshot import Snapshot

SERVER = "https://api.example.com:6443"


@pytest.fixture
def view():
    view = View.from_objects(SHOP)
    view.advance_streams("42")
    return view


@pytest.fixture
def snapshot(tmp_path):
    return Snapshot(tmp_path / "state" / "view", SERVER)


def test_everything_is_read_back_with_its_position_and_its_time(view, snapshot):
    snapshot.save(view, "noon")
    restored = snapshot.load()
    again = View()
    again.restore_streams(restored.streams, restored.taken)
    assert list(again.streams()) == list(view.streams())
    assert (restored.position, restored.taken) == ("42", "noon")


def test_more_streams_than_one_chunk_are_read_back(snapshot):
    view = View.from_objects(stream("shop", f"s{number}", v1=event("quay.io/a/b:1", V2)) for number in range(1201))
    snapshot.save(view)
    assert len(snapshot.load().streams["shop"]) == 1201


def test_without_a_file_there_is_no_snapshot(snapshot):
    assert snapshot.load() is None


def cut(content):
    return content[:-1]


def flip(content):
    middle = content.index(b"quay.io")
    return content[:middle] + b"Q" + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(cut, id="one that breaks off"),
        pytest.param(lambda content: content[: len(content) // 2], id="half of one"),
        pytest.param(flip, id="one with a bit turned over"),
        pytest.param(lambda content: content + b"x", id="one with something behind it"),
        pytest.param(lambda content: content.replace(b"view/1", b"view/9"), id="one of another format"),
        pytest.param(lambda content: content.replace(b"example.com", b"example.org"), id="one of another server"),
        pytest.param(lambda content: content.split(b"\n")[0] + b"\n\xff\xff\xff\xff", id="one with an absurd length"),
        pytest.param(lambda content: b"", id="an empty file"),
        pytest.param(lambda content: b"\x00" * 4096, id="zeros"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_not_used(view, snapshot, damage, caplog):
    snapshot.save(view)
    snapshot.path.write_bytes(damage(snapshot.path.read_bytes()))
    assert snapshot.load() is None
    assert "is not used" in caplog.text


def test_a_save_that_fails_keeps_the_old_snapshot(view, snapshot, monkeypatch):
    snapshot.save(view)
    before = snapshot.path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    view.apply_stream("DELETED", msgspec.convert(SHOP[0], ImageStream))
    with pytest.raises(OSError, match="No space"):
        snapshot.save(view)
    assert snapshot.path.read_bytes() == before
    assert os.listdir(snapshot.path.parent) == ["view"]


def test_only_its_owner_can_read_it(view, snapshot):
    snapshot.save(view)
    assert snapshot.path.stat().st_mode & 0o077 == 0
