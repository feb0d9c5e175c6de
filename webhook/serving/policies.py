"""The admission policy of a server: read before the fork, followed in each worker."""

from __future__ import annotations

import threading

from webhook.admission.configuration import InvalidConfiguration
from webhook.admission.policy_file import PolicyFile
from webhook.serving.companion import Stopping
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings


def policy_file(settings: Settings) -> PolicyFile:
    """What admission does; CannotServe for a configuration file that cannot be used."""
    path = settings.admission_config
    try:
        return PolicyFile(path, settings.integrated_registry, strict=settings.strict)
    except InvalidConfiguration as error:
        raise CannotServe(f"{path} cannot be used as --admission-config: {error}") from None


def follow(policy: PolicyFile, stopping: Stopping) -> None:
    """Read the file again when it changes, in a thread of its own, until the server stops."""
    threading.Thread(target=policy.follow, args=(stopping,), name="admission-config", daemon=True).start()
