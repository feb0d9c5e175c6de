"""The index that look-ups read: what a list, a change and a deletion make of it."""

import threading

import msgspec
import pytest

from tests.unit.admission.streams import V1, V2, event, stream
from webhook.image import lookup
from webhook.image.lookup import ImageStream
from webhook.view.index import ImageSink, Named, StreamSink, View


def listed(*of, **more):
    """A stream as a reflector delivers it."""
    return msgspec.convert(stream(*of, **more), ImageStream)


APP_AS_SERVED = stream("shop", "app", version="10", v1=event("quay.io/team/app:v1", V1))
APP = msgspec.convert(APP_AS_SERVED, ImageStream)
SPEC = f"quay.io/team/app@{V1}"
IMAGE = msgspec.convert({"metadata": {"name": V1, "resourceVersion": "9"}}, Named)


def test_a_list_replaces_everything():
    view = View.from_objects([APP_AS_SERVED])
    view.replace_streams([listed("shop", "php")], "12")
    assert view.stream("shop", "app") is None
    assert view.stream("shop", "php") is not None
    assert (len(view), view.position) == (1, 12)


def test_a_list_that_breaks_off_forgets_nothing():
    def torn():
        yield listed("shop", "php")
        raise OSError("connection reset")

    view = View.from_objects([APP_AS_SERVED])
    with pytest.raises(OSError, match="reset"):
        view.replace_streams(torn(), "12")
    assert view.stream("shop", "app") is not None
    assert view.position == 0


def test_changes_are_seen_by_the_next_look_up():
    view = View.from_objects([])
    sink = StreamSink(view)
    sink.apply("ADDED", APP)
    assert view.stream("shop", "app").tags == {"v1": f"quay.io/team/app@{V1}"}
    sink.apply("MODIFIED", listed("shop", "app", v1=event("quay.io/team/app:v2", V2)))
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
    view = View.from_objects([APP_AS_SERVED])
    view.apply_image("DELETED", IMAGE)
    assert view.has_image(SPEC, view.stream("shop", "app"))


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
    assert view.has_image(SPEC, view.stream("shop", "app")) is exists


def test_a_deleted_image_is_missing():
    view = View(with_images=True)
    view.replace_streams([APP], "10")
    images = ImageSink(view)
    images.replace([IMAGE], "10")
    assert view.has_image(SPEC, view.stream("shop", "app"))
    images.apply("DELETED", IMAGE)
    images.advance("11")
    assert not view.has_image(SPEC, view.stream("shop", "app"))
    images.apply("ADDED", IMAGE)
    assert view.has_image(SPEC, view.stream("shop", "app"))


def test_a_server_that_counts_anew_is_believed():
    view = View.from_objects([])
    view.advance_streams("500")
    view.replace_streams([], "3")
    assert view.position == 3
    view.advance_streams("")
    assert view.position == 3


def test_readers_see_whole_streams_while_they_are_written():
    view = View.from_objects([APP_AS_SERVED])
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


def test_a_list_goes_into_the_index_as_it_is_read():
    view, seen = View(), []

    def pages():
        yield APP
        seen.append((view.stream("shop", "app") is not None, view.ready))

    view.replace_streams(pages(), "12")
    assert seen == [(True, False)]
    assert view.ready


def test_a_restored_view_answers_and_says_from_when_it_is():
    view = View(with_images=True)
    view.restore_streams({"shop": {"app": lookup.record(APP)}}, "noon")
    assert (view.ready, view.restored_from) == (True, "noon")
    assert view.has_image(SPEC, view.stream("shop", "app"))


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(lambda view: view.replace_streams([], "12"), id="a list ends it"),
        pytest.param(lambda view: view.advance_streams("12"), id="a watch that goes on ends it"),
    ],
)
def test_a_restored_view_is_live_again_once_the_api_tells_something(live):
    view = View(with_images=True)
    view.restore_streams({"shop": {"app": lookup.record(APP)}}, "noon")
    live(view)
    assert (view.ready, view.restored_from) == (True, "")


def test_everything_that_is_known_can_be_read_while_it_changes():
    view = View.from_objects([APP_AS_SERVED])
    everything = view.streams()
    first = next(everything)
    view.apply_stream("DELETED", APP)
    assert [first, *everything] == [("shop", "app", lookup.record(APP))]
