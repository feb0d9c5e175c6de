import os

import pytest

from webhook.reloading import Reloading, Unusable, read


def number(path):
    try:
        return int(read(path))
    except ValueError:
        raise Unusable(f"{path} is no number") from None


def rewrite(path, text):
    """As `kubectl` and editors do it: a new file in the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "number"
    path.write_text("8")
    return path


@pytest.fixture
def reloading(file):
    return Reloading(lambda: number(file), lambda: [file])


def test_a_changed_file_is_read_again(file, reloading):
    assert reloading.current() == 8
    rewrite(file, "9")
    assert reloading.current() == 9


def test_an_unchanged_file_is_read_once(file):
    reads = []
    reloading = Reloading(lambda: reads.append(file), lambda: [file])
    reloading.current()
    reloading.current()
    assert len(reads) == 1


@pytest.mark.parametrize("spoil", [lambda file: rewrite(file, "secret"), lambda file: file.unlink()])
def test_what_cannot_be_used_leaves_the_old_value_and_one_warning(file, reloading, caplog, spoil):
    spoil(file)
    assert [reloading.current(), reloading.current()] == [8, 8]
    (record,) = caplog.records
    assert str(file) in record.getMessage()
    assert "secret" not in record.getMessage()


def test_a_repaired_file_is_read_again(file, reloading):
    rewrite(file, "eight")
    reloading.current()
    rewrite(file, "10")
    assert reloading.current() == 10


def test_what_cannot_be_used_at_first_is_refused(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(Unusable, match=r"missing cannot be read \(no such file or directory\)"):
        Reloading(lambda: number(missing), lambda: [missing])


def test_a_file_without_end_is_refused(file):
    file.write_text("1234")
    with pytest.raises(Unusable, match="more than 3 bytes"):
        read(file, limit=3)
