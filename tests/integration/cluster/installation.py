"""manifests/webhook put into a cluster without nodes: its objects, and the program that its Deployment would run."""

from __future__ import annotations

import copy
import ssl
from pathlib import Path

import urllib3

from tests.integration.cluster.cluster import Json
from tests.integration.servers import Webhook

MANIFESTS = Path(__file__).parents[3] / "manifests" / "webhook"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "imagestreams.image.openshift.io"},
    "spec": {
        "group": "image.openshift.io",
        "names": {"plural": "imagestreams", "singular": "imagestream", "kind": "ImageStream"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
# Where the container listens and keeps its files: nowhere on this machine.
_OF_THE_CONTAINER = ("--listen=", "--metrics-listen=", "--data=", "--snapshot=")


def leading_here(item: Json, port: int) -> Json:
    """The object, with a Service that leads to this machine, as there are no nodes."""
    if item["kind"] == "Service":
        return {**item, "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}}
    item = copy.deepcopy(item)
    for one in item.get("webhooks", ()):
        one["clientConfig"]["service"]["port"] = port
    return item


def arguments(objects: list[Json], folder: Path) -> list[str]:
    """What the Deployment gives to the program, with the ConfigMap as files in `folder`."""
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (policy,) = (one for one in objects if one["kind"] == "ConfigMap")
    for name, content in policy["data"].items():
        (folder / name).write_text(content)
    command, *given = (one.replace("=/etc/imagestreams/", f"={folder}/") for one in container["args"])
    assert command == "webhook"
    return [one for one in given if not one.startswith(_OF_THE_CONTAINER)]


class Installed(Webhook):
    """The webhook under the name of its Service, with the certificate that it keeps in the cluster."""

    def _ready(self) -> bool:
        authority = self.data / "certificate" / "authority" / "ca.crt"
        if not authority.exists():
            return False
        name = "imagestreams-webhook.imagestreams.svc"
        context = ssl.create_default_context(cafile=str(authority))
        try:
            with urllib3.PoolManager(
                ssl_context=context, server_hostname=name, assert_hostname=name, retries=False, timeout=5
            ) as pool:
                return pool.request("GET", f"{self.url}/readyz").status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False
