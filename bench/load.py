"""A load generator that is cheaper than what it measures: wrk where it is installed, else a client of our own."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %%d %%d %%f %%f %%d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class Load(NamedTuple):
    """What came of one run: requests answered, seconds, median and 99th percentile in seconds, and errors."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def post(url: str, body: bytes, connections: int, seconds: float) -> Load:
    """POST `body` over so many kept TLS connections for so long; certificates are not checked."""
    program = shutil.which("wrk")
    if program is None:
        return _own(url, body, connections, seconds)
    with tempfile.TemporaryDirectory() as folder:
        content, script = Path(folder) / "body", Path(folder) / "post.lua"
        content.write_bytes(body)
        script.write_text(_SCRIPT % content)
        command = [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(script), url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", output)
    assert found, output
    requests, micros, p50, p99, errors = found.groups()
    return Load(int(requests), int(micros) / 1e6, float(p50) / 1e6, float(p99) / 1e6, int(errors))


def _own(url: str, body: bytes, connections: int, seconds: float) -> Load:
    """The same in a process of its own, whose interpreter lock is not ours."""
    command = [sys.executable, "-m", "bench.load", url, str(connections), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, input=body)
    return Load(*json.loads(done.stdout))


def _client(host: str, path: str, body: bytes, until: float, times: list[float], errors: list[str]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, context=context, timeout=10)
    while (begun := time.perf_counter()) < until:
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                errors.append(str(answer.status))
        except OSError as error:
            errors.append(str(error))
            connection.close()
        times.append(time.perf_counter() - begun)
    connection.close()


def _main(url: str, connections: int, seconds: float) -> None:
    body = sys.stdin.buffer.read()
    host, _, path = url.removeprefix("https://").partition("/")
    times: list[float] = []
    errors: list[str] = []
    begun = time.perf_counter()
    arguments = (host, f"/{path}", body, begun + seconds, times, errors)
    threads = [threading.Thread(target=_client, args=arguments) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    took = time.perf_counter() - begun
    print(json.dumps([len(times), took, times[len(times) // 2], times[int(len(times) * 0.99)], len(errors)]))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
