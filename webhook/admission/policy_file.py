"""The policy of a configuration file, read again when the file changes; a bad new file changes nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from webhook.admission import configuration, policy
from webhook.admission.configuration import ImagePolicyConfig, InvalidConfiguration
from webhook.admission.policy import Policy
from webhook.telemetry import ADMISSION_CONFIG_VALID

log = logging.getLogger(__name__)

_INTERVAL: Final = 2.0
_TICK: Final = 0.5


class PolicyFile:
    """Without a path, the policy that holds by default; `current` is the policy of the moment.

    Raises InvalidConfiguration if the file cannot be used from the start.
    """

    def __init__(self, path: Path | None, integrated_registry: str, *, strict: bool) -> None:
        self._path = path
        self._integrated = integrated_registry
        self._strict = strict
        self._seen: object = None
        self.problem = ""
        """Why the newest file is not used, as one sentence; empty if it is."""
        if path is None:
            self._policy = self._of(ImagePolicyConfig())
        else:
            self._seen = _version(path)
            self._policy = self._of(_read(path))

    def current(self) -> Policy:
        """The newest policy that could be used."""
        return self._policy

    def refresh(self) -> None:
        """Read the file again if it changed, as often as this is called."""
        if self._path is None or (seen := _version(self._path)) == self._seen:
            return
        self._seen = seen
        try:
            self._policy = self._of(_read(self._path))
        except InvalidConfiguration as error:
            self.problem = f"{self._path} is not used, the policy before it still holds: {error}"
            log.error("%s", self.problem)
        else:
            self.problem = ""
            log.info("Admission follows the new %s.", self._path)
        ADMISSION_CONFIG_VALID.labels(self._path).set(not self.problem)

    def follow(self, stopping: Callable[[], bool]) -> None:
        """Refresh every two seconds until `stopping`."""
        if self._path is None:
            return
        ADMISSION_CONFIG_VALID.labels(self._path).set(1)
        due = 0.0
        while not stopping():
            if time.monotonic() >= due:
                self.refresh()
                due = time.monotonic() + _INTERVAL
            time.sleep(_TICK)

    def _of(self, config: ImagePolicyConfig) -> Policy:
        return policy.of(config, self._integrated, strict=self._strict)


def _read(path: Path) -> ImagePolicyConfig:
    try:
        return configuration.read(path.read_bytes())
    except OSError as error:
        raise InvalidConfiguration([f"The file cannot be read: {(error.strerror or str(error)).lower()}."]) from None


def _version(path: Path) -> object:
    """Something else whenever the file is; a ConfigMap's files change by what their link points to."""
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_size, found.st_ino
