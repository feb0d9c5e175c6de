"""What the server writes about itself: lines for a person on a terminal, JSON for everything else, secrets never."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, TextIO
from urllib.parse import parse_qs

import msgspec
from gunicorn.glogging import Logger

from webhook.serving.health import PATHS

ACCESS: Final = "webhook.access"
_QUIET: Final = (*PATHS, "/admission/")
_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
_GATHER: Final = 0.1
"""Seconds for which a line may wait for others."""
_access = logging.getLogger(ACCESS)

# A header in an error text, a token in a URL, a password in a registry's address.
_SECRETS: Final = re.compile(
    r"(?i)\b(bearer|basic)(\s+|%20)[\w.~+/=-]{6,}|(token|password)=[^&\s\"']+|(?<=//)[^/\s:@]+:[^/\s@]+@"
)


# One of these is in every text that the expression can match; to look for them takes a twentieth of the time.
_SIGNS: Final = ("bearer", "basic", "token=", "password=", "//")


def redacted(text: str) -> str:
    """The text without what looks like a credential."""
    lower = text.lower()
    return _SECRETS.sub("[redacted]", text) if any(sign in lower for sign in _SIGNS) else text


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class JsonLines(logging.Formatter):
    """One JSON object a line; a record's `fields` (a dict) stand beside time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        line: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return redacted(_ENCODER.encode(line).decode())


class ReadableLines(logging.Formatter):
    """`14:03:11 message`, with the level where it is worse than usual."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        text = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {level}{record.getMessage()}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return redacted(text)


class Gathering(logging.StreamHandler[TextIO]):
    """Writes lines a tenth of a second later, many at once; a warning is written with all before it, at once.

    Each write hands the interpreter to another thread, and lines that are made one after the other cost half: for a
    server under load that is the larger part of what logging costs.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._records: list[logging.LogRecord] = []
        self._some = threading.Event()
        self._writer = 0
        # What is gathered belongs to this process and would be written by each of its children too.
        os.register_at_fork(before=self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self._records.append(record)
        if record.levelno >= logging.WARNING or record.exc_info:
            self.flush()
        elif not self._some.is_set():
            self._some.set()
            self._ensure_writer()

    def flush(self) -> None:
        """Write what has been gathered."""
        with self.lock or nullcontext():
            records, self._records = self._records, []
            # Nobody can be told where nobody reads.
            with suppress(OSError, ValueError):
                self.stream.write("".join(self.format(one) + self.terminator for one in records))
                self.stream.flush()

    def _ensure_writer(self) -> None:
        # A thread does not live on in a child.
        if self._writer != os.getpid():
            self._writer = os.getpid()
            threading.Thread(target=self._write, name="log", daemon=True).start()

    def _write(self) -> None:
        while self._some.wait():
            time.sleep(_GATHER)
            self._some.clear()
            self.flush()


def configure(*, as_json: bool | None = None, level: int = logging.INFO) -> None:
    """Send every logger's lines to standard error; as JSON where that is not a terminal."""
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    handler = Gathering(sys.stderr) if as_json else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else ReadableLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # What no line shows need not be found out for each: file, line and thread (logging's own advice).
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    # urllib3 logs every retry, gunicorn every fork: ours say what matters.
    for noisy in ("urllib3", "gunicorn", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, writing through ours."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's two loggers without handlers of their own."""
        self.cfg = cfg
        self._access_log_enabled = True
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        self.loglevel = logging.WARNING
        self.error_log.setLevel(logging.WARNING)

    def access(self, resp: Any, _req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One short line per request: method, path, status, milliseconds.

        Nothing for health checks, nor for reviews that were answered: what was rewritten or refused has its own line.
        """
        path = str(environ.get("RAW_URI", "")).partition("?")[0]
        status = str(resp.status).split(None, 1)[0]
        if path.startswith(_QUIET) and (status == "200" or path.startswith(PATHS)):
            return
        method = str(environ.get("REQUEST_METHOD", "-"))
        if _is_watch(str(environ.get("QUERY_STRING", ""))):
            method = "WATCH"
        took = round(request_time.total_seconds() * 1000, 1)
        fields = {"method": method, "path": path, "status": status, "ms": took}
        _access.info("%s %s %s %sms", method, _printable(path), status, took, extra={"fields": fields})


def _is_watch(query: str) -> bool:
    return "watch" in query and parse_qs(query).get("watch", ["0"])[-1] in ("1", "true")


def _printable(path: str) -> str:
    return path if path.isprintable() else path.encode("unicode_escape").decode("ascii")
