"""The index that look-ups read: what a list, a change and a deletion make of it."""

import threading

import pytest

from tests.unit.admission.streams import V1, V2, event, stream
from webhook.view.index import ImageSink, StreamSink, View

APP = stream("shop", "app", version="10", v1=event("quay.io/team/app:v1", V1))
IMAGE = {"metadata": {"name": V1, "resourceVersion": "9"}}


def test_a_list_replaces_everything():
    view = View.from_objects([APP])
    view.replace_streams([stream("shop", "php")], "12")
    assert view.stream("shop", "app") is None
    assert view.stream("shop", "php") is not None
    assert (len(view), view.position) == (1, 12)


def test_a_list_that_breaks_off_changes_nothing():
    def torn():
        yield stream("shop", "php")
        raise OSError("connection reset")

    view = View.from_objects([APP])
    with pytest.raises(OSError, match="reset"):
        view.replace_streams(torn(), "12")
    assert view.stream("shop", "app") is not None
    assert view.stream("shop", "php") is None


def test_changes_are_seen_by_the_next_look_up():
    view = View.from_objects([])
    sink = StreamSink(view)
    sink.apply("ADDED", APP)
    assert view.stream("shop", "app").tags == {"v1": f"quay.io/team/app@{V1}"}
    sink.apply("MODIFIED", stream("shop", "app", v1=event("quay.io/team/app:v2", V2)))
    assert view.stream("shop", "app").tags == {"v1": f"quay.io/team/app@{V2}"}
    sink.apply("DELETED", APP)
    assert view.stream("shop", "app") is None
    sink.apply("DELETED", APP)


def test_it_is_ready_once_everything_that_is_watched_was_listed():
    view = View(with_images=True)
    assert not view.ready
    StreamSink(view).replace([], "5")
    assert not view.ready
    ImageSink(view).replace([], "5")
    assert view.ready


def test_images_are_taken_to_exist_where_they_are_not_watched():
    view = View.from_objects([APP])
    view.apply_image("DELETED", IMAGE)
    assert view.has_image(V1, view.stream("shop", "app"))


@pytest.mark.parametrize(
    ("position", "exists"),
    [
        pytest.param("9", True, id="the images' watch is behind the stream: it is on its way"),
        pytest.param("11", False, id="the images' watch is ahead of the stream: it is gone"),
    ],
)
def test_an_unknown_image_is_missing_only_if_it_had_to_be_known(position, exists):
    view = View(with_images=True)
    view.replace_streams([APP], "10")
    view.replace_images([], position)
    assert view.has_image(V1, view.stream("shop", "app")) is exists


def test_a_deleted_image_is_missing():
    view = View(with_images=True)
    view.replace_streams([APP], "10")
    images = ImageSink(view)
    images.replace([IMAGE], "10")
    assert view.has_image(V1, view.stream("shop", "app"))
    images.apply("DELETED", IMAGE)
    images.advance("11")
    assert not view.has_image(V1, view.stream("shop", "app"))
    images.apply("ADDED", IMAGE)
    assert view.has_image(V1, view.stream("shop", "app"))


def test_a_server_that_counts_anew_is_believed():
    view = View.from_objects([])
    view.advance_streams("500")
    view.replace_streams([], "3")
    assert view.position == 3
    view.advance_streams("")
    assert view.position == 3


def test_readers_see_whole_streams_while_they_are_written():
    view = View.from_objects([APP])
    stop = threading.Event()

    def write():
        while not stop.is_set():
            view.apply_stream("MODIFIED", APP)
            view.replace_streams([APP], "10")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(2000):
            assert view.stream("shop", "app").tags == {"v1": f"quay.io/team/app@{V1}"}
    finally:
        stop.set()
        thread.join()
