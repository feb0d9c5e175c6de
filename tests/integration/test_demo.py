"""The tour of `make demo` on this checkout: it checks its own answers, and must leave nothing running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_tour_ends_with_every_answer_right():
    for program in ("kubectl", "docker-registry"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / "demo" / "tour.sh"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every answer was right." in done.stdout
