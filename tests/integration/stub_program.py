"""`python -m tests.integration.stub_program DATA PORT`: the server around a tiny application, to test serving."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webhook.serving.health import HealthEndpoint
from webhook.serving.identity import identity_headers
from webhook.serving.server import Life
from webhook.serving.start import start
from webhook.settings import Settings


class Stub:
    """Answers `/watch` until the server stops, everything else with what it was sent."""

    background = None

    def __init__(self, settings: Settings) -> None:
        pass

    def application(self, life: Life) -> Any:
        life.ready()

        def watch() -> Iterator[bytes]:
            yield b'{"type":"BOOKMARK"}\n'
            while not life.stopping():
                time.sleep(0.05)

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["PATH_INFO"] == "/watch":
                start_response("200 OK", [("Content-Type", "application/json")])
                return watch()
            keys = sorted(key for key in environ if key.startswith("HTTP_"))
            seen = {"identity": identity_headers(environ), "keys": keys, "scheme": environ["wsgi.url_scheme"]}
            body = json.dumps(seen).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]

        ready = {"ping": lambda: None, "workers": lambda: None if life.all_ready() else "not all"}
        return HealthEndpoint(app, {"/readyz": ready})


if __name__ == "__main__":
    settings = Settings(data=Path(sys.argv[1]), port=int(sys.argv[2]), workers=1, threads=4, socket_timeout=1.0)
    start(settings, lambda _: None, Stub)
