"""Who may use a data folder or a task right now? Advisory file locks, which the system frees when a process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from webhook.storage.store import StoreUnavailable


class InUse(StoreUnavailable):
    """Another process holds the lock."""


class Hold:
    """A held lock, until `release`, the end of its `with` block, or the death of all processes forked with it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others have it; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Hold:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def hold(data_dir: Path) -> Hold:
    """Claim the data folder for this server and its workers; raises InUse, or StoreUnavailable when it is unusable."""
    path = data_dir / "server.lock"
    try:
        held = take(path)
    except InUse:
        hint = "stop that server first, or choose another data folder"
        raise InUse(f"the data folder {data_dir} is in use by another server{_owner(path)}: {hint}") from None
    path.write_text(f"{os.getpid()}\n")
    return held


def take(path: Path, *, wait: bool = False) -> Hold:
    """Lock the file, made when missing. Held by another: wait for it, or raise InUse."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot write to the folder {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(f"{path} is locked") from None
    except OSError as error:
        os.close(descriptor)
        raise StoreUnavailable(f"cannot lock {path}: {error.strerror}") from error
    return Hold(descriptor)


def _owner(path: Path) -> str:
    number = path.read_text(errors="replace").strip()
    return f" (process {number})" if number.isdigit() else ""
