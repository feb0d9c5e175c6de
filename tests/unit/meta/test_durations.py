from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.meta.durations import parse


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("1.5h", 5400), ("1d", 86400), ("250ms", 0.25), ("0", 0)],
)
def test_a_duration_is_read_as_go_writes_it(text, seconds):
    assert parse(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5m", "5 m", "5min", "1h30", "1e3", "inf", "٣m", "1h" * 40, "5m\n"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="no duration"):
        parse(text)


@given(st.text(max_size=80))
def test_any_text_is_a_duration_or_a_value_error(text):
    with suppress(ValueError):
        assert parse(text) >= 0
