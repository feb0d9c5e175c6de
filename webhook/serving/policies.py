"""The admission policy of a server: read before the fork, followed in each worker, with what it may have to look at."""

from __future__ import annotations

import threading
from typing import Any, Final
from urllib.parse import quote

from webhook.admission.configuration import InvalidConfiguration
from webhook.admission.objects import NAMESPACES, Objects
from webhook.admission.policy_file import PolicyFile
from webhook.errors import Json, NotFound
from webhook.kube.client import KubeClient
from webhook.kube.decoding import Decoding
from webhook.serving.companion import Stopping
from webhook.serving.health import Check, Note
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings
from webhook.view.direct import IMAGES, STREAMS

_API: Final = "/apis/image.openshift.io/v1"
_PATHS: Final = {
    IMAGES: f"{_API}/images/{{name}}",
    STREAMS: f"{_API}/namespaces/{{namespace}}/imagestreams/{{name}}",
    NAMESPACES: "/api/v1/namespaces/{name}",
}
_DEADLINE: Final = 1.0


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


def check(policy: PolicyFile) -> Check:
    """For /readyz: a new file that cannot be used makes nothing unready, but should not go unseen."""

    def valid() -> str | None:
        return Note("the newest file cannot be used, the one before it holds") if policy.problem else None

    return valid


def objects(client: KubeClient) -> Objects:
    """Whole objects of an API, for a policy with rules about them; each within a second."""
    decoding: Decoding[Any] = Decoding(dict)

    def load(resource: str, namespace: str, name: str) -> Json | None:
        path = _PATHS[resource].format(namespace=quote(namespace, safe=""), name=quote(name, safe=":"))
        try:
            found: Json = client.read(path, decoding, deadline=_DEADLINE)
        except NotFound:
            return None
        return found

    return Objects(load)
