import os
import subprocess
import sys

import pytest

from webhook.storage import lock
from webhook.storage.store import StoreUnavailable


def test_a_second_holder_of_a_data_folder_is_refused_and_told_who_has_it(tmp_path):
    with lock.hold(tmp_path), pytest.raises(lock.InUse, match=rf"in use by another server \(process {os.getpid()}\)"):
        lock.hold(tmp_path)


def test_a_released_folder_can_be_held_again(tmp_path):
    lock.hold(tmp_path).release()
    lock.hold(tmp_path).release()


def test_releasing_twice_is_harmless(tmp_path):
    held = lock.hold(tmp_path)
    held.release()
    held.release()


def test_the_folder_is_made_when_missing_for_its_owner_alone(tmp_path):
    with lock.hold(tmp_path / "var"):
        assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot write to the folder"):
        lock.hold(tmp_path / "file" / "var")


def test_a_killed_holder_leaves_nothing_behind(tmp_path):
    program = "import sys, pathlib; from webhook.storage import lock; h = lock.hold(pathlib.Path(sys.argv[1]));"
    program += "print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(lock.InUse, match=rf"\(process {other.pid}\)"):
            lock.hold(tmp_path)
        other.kill()
        other.wait()
    lock.hold(tmp_path).release()
