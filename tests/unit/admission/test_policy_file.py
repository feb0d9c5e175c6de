"""A configuration file is followed while the server runs; one that cannot be used changes nothing."""

import os

import pytest

from tests.unit.admission.streams import INTEGRATED
from webhook.admission.configuration import InvalidConfiguration
from webhook.admission.policy import Policy
from webhook.admission.policy_file import PolicyFile


@pytest.fixture
def write(tmp_path):
    path = tmp_path / "admission.yaml"
    written = 0

    def put(text):
        nonlocal written
        written += 1
        path.write_text(text)
        os.utime(path, ns=(written, written))
        return path

    return put


def test_without_a_file_the_defaults_hold():
    assert PolicyFile(None, INTEGRATED, strict=True).current() == Policy(INTEGRATED)
    assert PolicyFile(None, INTEGRATED, strict=False).current().record_origin


def test_a_file_that_cannot_be_used_is_refused_at_the_start(tmp_path, write):
    with pytest.raises(InvalidConfiguration, match=r"The file cannot be read: no such file or directory\."):
        PolicyFile(tmp_path / "none.yaml", "", strict=False)
    with pytest.raises(InvalidConfiguration, match=r"resolveImages: "):
        PolicyFile(write("resolveImages: Perhaps"), "", strict=False)


def test_a_new_file_is_followed(write):
    file = PolicyFile(write("{}"), "", strict=False)
    before = file.current()
    file.refresh()
    assert file.current() is before
    write("resolveImages: Required")
    file.refresh()
    assert file.current().required


@pytest.mark.parametrize("spoil", [lambda write: write("resolveImages: Perhaps"), lambda write: write("{}").unlink()])
def test_a_bad_new_file_keeps_the_old_one_and_says_so_once(write, caplog, spoil):
    file = PolicyFile(write("resolveImages: Required"), "", strict=False)
    spoil(write)
    file.refresh()
    file.refresh()
    assert file.current().required
    assert [one.levelname for one in caplog.records] == ["ERROR"]
    assert "is not used, the policy before it still holds: " in file.problem
    write("{}")
    file.refresh()
    assert (file.problem, file.current().required) == ("", False)


def test_following_ends_when_the_server_stops(write):
    asked = iter([False, True])
    file = PolicyFile(write("{}"), "", strict=False)
    write("resolveImages: Required")
    file.follow(lambda: next(asked))
    assert file.current().required
