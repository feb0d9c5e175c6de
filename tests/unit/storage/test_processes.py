import os
import signal
import subprocess
import sys
import threading
from contextlib import closing

from webhook.storage.sqlite import SqliteStore

# Each line on stdout is an acknowledged write: it is printed after the commit returned.
WRITER = """
import sys
from pathlib import Path
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Create

store = SqliteStore(Path(sys.argv[1]))
count, round = int(sys.argv[3]), int(sys.argv[4])
for number in range(count):
    if number % round == 0:
        sys.stdin.readline()
    name = f"{sys.argv[2]}-{number}"
    (record,) = store.commit([Create("imagestreams.image.openshift.io", "shop", name, name, b"x" * 3000)])
    print(record.rv, name, flush=True)
"""


def start(path, label, count, per_round=1_000_000):
    command = [sys.executable, "-c", WRITER, str(path), label, str(count), str(per_round)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(writers):
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()


def finish(writers):
    acknowledged = {}
    for writer in writers:
        for line in writer.stdout:
            rv, name = line.split()
            assert int(rv) not in acknowledged
            acknowledged[int(rv)] = name
        writer.stdin.close()
        writer.stdout.close()
        writer.wait()
    return acknowledged


def test_no_acknowledged_write_is_lost_when_all_writers_are_killed(path, writes):
    writers = [start(path, label, 1000) for label in "abc"]
    go(writers)
    acknowledged = {}
    lock, enough = threading.Lock(), threading.Event()

    def read(writer):
        last = 0
        for line in writer.stdout:
            if not line.endswith("\n"):
                # Cut off by the kill, so not acknowledged.
                return
            rv, name = line.split()
            with lock:
                assert int(rv) not in acknowledged
                acknowledged[int(rv)] = name
            assert int(rv) > last
            last = int(rv)
            if len(acknowledged) >= 300:
                enough.set()

    readers = [threading.Thread(target=read, args=(writer,)) for writer in writers]
    for reader in readers:
        reader.start()
    assert enough.wait(60)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    for reader in readers:
        reader.join()
    for writer in writers:
        writer.stdin.close()
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL

    store = SqliteStore(path)
    stored = {record.rv: record.name for record in store.list(writes.streams, "shop").records}
    assert acknowledged.items() <= stored.items()
    assert len(stored) - len(acknowledged) <= len(writers), "each had at most one write that it could not acknowledge"
    assert sorted(stored) == list(range(2, len(stored) + 2))
    (next_one,) = store.commit([writes.create("after")])
    assert next_one.rv == len(stored) + 2
    store.close()


def test_three_processes_write_a_thousand_objects_with_versions_of_their_own(path, writes):
    writers = [start(path, "a", 334), start(path, "b", 333), start(path, "c", 333)]
    go(writers)
    acknowledged = finish(writers)
    assert sorted(acknowledged) == list(range(2, 1002))
    store = SqliteStore(path)
    assert {record.rv: record.name for record in store.list(writes.streams, None).records} == acknowledged
    store.close()


def test_a_watch_hears_other_processes_in_order_each_once_while_the_log_is_compacted(path, writes, drain):
    store = SqliteStore(path)
    stop = threading.Event()
    events, removed = [], []

    def compact():
        # A round is half of what is kept: however slow this machine, compaction never overtakes the watch.
        while not stop.wait(0.001):
            removed.append(store.compact(keep_seconds=0, keep_rows=300))

    compaction = threading.Thread(target=compact)
    writers = [start(path, label, 300, per_round=50) for label in "abc"]
    with closing(store), closing(store.watch(writes.streams, None, 1)) as watch:
        compaction.start()
        try:
            for newest in range(151, 902, 150):
                go(writers)
                events += drain(watch, newest)
        finally:
            stop.set()
            compaction.join()
        removed.append(store.compact(keep_seconds=0, keep_rows=300))
        assert [event.record.rv for event in events] == list(range(2, 902))
        assert {event.record.rv: event.record.name for event in events} == finish(writers)
        assert sum(removed) == 600
        assert store.compacted() == 601


def test_a_store_made_before_a_fork_works_on_both_sides(path, writes):
    store = SqliteStore(path)
    store.commit([writes.create("parent")])
    child = os.fork()
    if child == 0:
        try:
            assert store.get(writes.streams, "shop", "parent")
            watch = store.watch(writes.streams, None, 1)
            store.commit([writes.create("child")])
            heard = [watch.next(5).record.name, watch.next(5).record.name]
            os._exit(0 if heard == ["parent", "child"] else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.get(writes.streams, "shop", "child").rv == 3
    store.close()


def test_processes_that_start_together_make_the_file_once(path):
    program = "import sys; from pathlib import Path; from webhook.storage.sqlite import SqliteStore;"
    program += "sys.stdin.readline(); print(SqliteStore(Path(sys.argv[1])).revision())"
    command = [sys.executable, "-c", program, str(path)]
    starters = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    go(starters)
    assert [starter.communicate() for starter in starters] == [("1\n", "")] * 6
