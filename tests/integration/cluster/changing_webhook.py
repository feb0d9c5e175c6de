"""A mutating webhook of somebody else's, which is asked about every new Pod after ours."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.integration.cluster.cluster import Cluster, Json
from tests.integration.cluster.installation import CONFIGURATIONS

Patch = Callable[[Json], list[Json]]


@contextmanager
def changing_pods(cluster: Cluster, patch: Patch) -> Iterator[None]:
    """`patch` gives the operations for a Pod; it is asked again when another webhook has changed the Pod since."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(ssl_context=context) as server:
        server.expect_request("/").respond_with_handler(lambda request: _patched(request, patch))
        hook = {
            "name": "sidecar.example.com",
            "clientConfig": {
                "url": f"https://127.0.0.1:{server.port}/",
                "caBundle": base64.b64encode(authority.cert_pem.bytes()).decode(),
            },
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "sideEffects": "None",
            "reinvocationPolicy": "IfNeeded",
            "admissionReviewVersions": ["v1"],
        }
        configuration = {"metadata": {"name": "zz-sidecar"}, "webhooks": [hook]}
        assert cluster.call("POST", CONFIGURATIONS, configuration).code == 201
        try:
            yield
        finally:
            cluster.call("DELETE", f"{CONFIGURATIONS}/zz-sidecar")


def _patched(request: Request, patch: Patch) -> Response:
    asked = json.loads(request.get_data())["request"]
    response = {
        "uid": asked["uid"],
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(json.dumps(patch(asked["object"])).encode()).decode(),
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    return Response(json.dumps(review), content_type="application/json")
