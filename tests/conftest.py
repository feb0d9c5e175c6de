"""Settings for all tests: hypothesis prints how to repeat a failure, and its deadlines do not depend on the machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")
