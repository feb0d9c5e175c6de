"""Memory that is freed is kept for the next large answer, where the C library can be told so."""

import ctypes

from webhook.serving.memory import keep_freed


class Library:
    def __init__(self):
        self.told = {}

    def mallopt(self, option, value):
        self.told[option] = value


def test_malloc_keeps_sixteen_mebibytes_in_each_of_two_arenas(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)

    keep_freed()

    # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h.
    assert library.told == {-1: 16 << 20, -3: 16 << 20, -8: 2}


def test_a_library_that_cannot_be_told_is_left_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: asked.append(name) or object())

    keep_freed()

    assert asked == [None]
