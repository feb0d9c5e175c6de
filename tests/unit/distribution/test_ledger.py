import pytest

from webhook.distribution.ledger import Ledger, Times


def test_what_is_not_known_is_nothing():
    with Ledger().entry("quay.io") as times:
        assert times == Times(0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("shared", [False, True], ids=["in memory", "in a file"])
def test_times_are_kept_by_name(tmp_path, shared):
    ledger = Ledger(tmp_path / "pace" if shared else None)
    for number, name in enumerate(("quay.io", "ghcr.io", "quay.io reader")):
        with ledger.entry(name) as times:
            times.closed = 10.0 + number
    for number, name in enumerate(("quay.io", "ghcr.io", "quay.io reader")):
        with ledger.entry(name) as times:
            assert times.closed == 10.0 + number


def test_another_process_and_the_next_start_find_the_times(tmp_path):
    with Ledger(tmp_path / "pace").entry("quay.io") as times:
        times.free, times.failures = 12.5, 3.0
    with Ledger(tmp_path / "pace").entry("quay.io") as times:
        assert (times.free, times.failures) == (12.5, 3.0)


def test_what_fails_in_an_entry_changes_nothing_and_lets_the_next_in():
    ledger = Ledger()
    with pytest.raises(ZeroDivisionError), ledger.entry("quay.io") as times:
        times.free = 1 / 0
    with ledger.entry("quay.io") as times:
        assert times.free == 0.0


def test_the_file_is_for_its_owner_and_has_one_size_for_any_number_of_names(tmp_path):
    file = tmp_path / "pace"
    ledger = Ledger(file)
    before = file.stat()
    for number in range(10_000):
        with ledger.entry(f"registry-{number}.example.com") as times:
            times.free = 1.0
    assert file.stat().st_size == before.st_size
    assert before.st_mode & 0o777 == 0o600


def test_a_reader_waits_for_nobody_and_sees_what_is_kept(tmp_path):
    ledger = Ledger(tmp_path / "pace")
    with ledger.entry("quay.io") as times:
        times.closed = 7.0
        assert ledger.read("quay.io").closed == 0.0
    assert Ledger(tmp_path / "pace").read("quay.io") == Times(closed=7.0)
