"""What the server writes about itself: lines for a person on a terminal, JSON for everything else, secrets never."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, Final, TextIO
from urllib.parse import parse_qs

import msgspec
from gunicorn.glogging import Logger

from webhook.errors import Json
from webhook.serving.health import PATHS
from webhook.serving.later import Later

ACCESS: Final = "webhook.access"
_QUIET: Final = (*PATHS, "/admission/")
_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
_MOST_LINES: Final = 32
_access = logging.getLogger(ACCESS)

# A header in an error text, a token in a URL, a password in a registry's address.
_SECRETS: Final = re.compile(
    r"(?i)(?:bearer|basic)(?:\s|\\[tnr]|%20|%09)+['\"]?[\w.~+/=-]{6,}"
    r"|(?:token|password)=['\"]?[^&\s\"']+"
    r"|(?<=//)[^/\s:@\"']*:[^/\s\"']*@"
)
# Each finds its one beginning in a fifteenth of the time that the whole expression takes.
_SCHEME: Final = re.compile("bearer|basic")
_ADDRESS: Final = re.compile("//")


def redacted(text: str) -> str:
    """The text without what looks like a credential."""
    return _SECRETS.sub("[redacted]", text) if _is_suspicious(text) else text


def _is_suspicious(text: str) -> bool:
    """Could the expression match?"""
    lower = text.lower()
    if _SCHEME.search(lower) or _ADDRESS.search(lower):
        return True
    return "=" in lower and ("token=" in lower or "password=" in lower)


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class JsonLines(logging.Formatter):
    """One JSON object a line; a record's `fields` (a dict) stand beside time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        fields = getattr(record, "fields", {})
        if record.exc_info:
            fields = {**fields, "error": self.formatException(record.exc_info)}
        return _json(record.created, record.levelname, record.name, record.getMessage(), fields)


def _json(created: float, level: str, logger: str, message: str, fields: Mapping[str, Any]) -> str:
    """The line; `created` in seconds since 1970."""
    line = {
        "time": f"{_second(int(created))}.{int(created % 1 * 1000):03d}Z",
        "level": level.lower(),
        "logger": logger,
        "pid": os.getpid(),
        "message": message,
        **fields,
    }
    text = _encoded(line)
    # In the texts, not in their JSON: there a secret may begin behind a backslash, and must not end with one.
    return _encoded(_redacted_value(json.loads(text))) if _is_suspicious(text) else text


def _encoded(line: Json) -> str:
    try:
        return _ENCODER.encode(line).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair, as in the name of a file that is not UTF-8.
        return json.dumps(line, default=str)


def _redacted_value(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {redacted(key): _redacted_value(one) for key, one in value.items()}
    return [_redacted_value(one) for one in value] if isinstance(value, list) else value


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
    """Writes some lines at once, a tenth of a second later at most; a warning is written with all before it, at once.

    Each write hands the interpreter to another thread: for a server under load that is the larger part of what logging
    costs.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []
        self._later = Later(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        # The line is kept and not the record: what is freed at once is used again while it is in the processor's cache.
        line = self._made(record)
        self._take(line, at_once=record.levelno >= logging.WARNING or bool(record.exc_info))

    def line(self, logger: str, message: str, fields: Mapping[str, Any]) -> None:
        """Take a line of JSON, without a record."""
        with self.lock or nullcontext():
            self._take(_json(time.time(), "info", logger, message, fields), at_once=False)

    def _made(self, record: logging.LogRecord) -> str:
        # Who logs must not fail for it. The arguments are left out, as nobody has looked through them.
        try:
            return self.format(record)
        except Exception as error:
            text = f"{record.msg} (a line that cannot be written: {type(error).__name__})"
            return _json(record.created, record.levelname, record.name, text, {})

    def _take(self, line: str, *, at_once: bool) -> None:
        self._lines.append(line + self.terminator)
        if at_once or len(self._lines) >= _MOST_LINES:
            self.flush()
        else:
            self._later.ask()

    def flush(self) -> None:
        """Write what has been gathered."""
        with self.lock or nullcontext():
            if not self._lines:
                return
            lines, self._lines = self._lines, []
            # Nobody can be told where nobody reads.
            with suppress(OSError, ValueError):
                self.stream.write("".join(lines))
                self.stream.flush()


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
    # urllib3 warns of every retry, gunicorn tells of every fork: ours say what matters.
    for noisy, least in (("urllib3", logging.ERROR), ("gunicorn", logging.WARNING), ("werkzeug", logging.WARNING)):
        logging.getLogger(noisy).setLevel(least)


def quick(log: logging.Logger) -> Callable[[str, Mapping[str, Any]], None]:
    """`log.info` of a message with fields, for those who do so with each request.

    Where lines are JSON, no record of logging is made for it: that takes longer than the line.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Gathering) and log.isEnabledFor(logging.INFO):
            return partial(handler.line, log.name)
    return lambda message, fields: log.info("%s", message, extra={"fields": fields})


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
