"""`python -m bench.admission_server DATA PORT API [staying]`: the webhook, and other ways to answer a review beside it.

/livez-floor answers fixed bytes and reads nothing; the others do the same work as /admission/mutate by other means.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import flask

from webhook.admission import patch
from webhook.admission.decide import of_objects
from webhook.admission.endpoint import AdmissionEndpoint
from webhook.admission.reviewer import Reviewer
from webhook.admission.verdict import reach
from webhook.kube.connection import Connection
from webhook.serving.server import Life
from webhook.serving.start import start
from webhook.serving.webhook import Webhook
from webhook.settings import Settings

THREADS = 16
FLOOR = "/livez-floor"
"""Like a health path, so that no line is logged for it either."""
FIXED = (
    b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"0","allowed":true}}' + b" " * 900
)


class Bench(Webhook):
    """The webhook and its rivals on one port."""

    def application(self, life: Life) -> Any:
        """The webhook, and paths for its rivals."""
        endpoint = super().application(life)
        assert isinstance(endpoint, AdmissionEndpoint)
        reviewer = endpoint.reviewer
        rivals = flask_app(reviewer)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(FIXED)))]

        inner = endpoint.inner

        def beside(environ: dict[str, Any], start_response: Any) -> Any:
            path = environ["PATH_INFO"]
            if path == FLOOR:
                start_response("200 OK", headers)
                return [FIXED]
            if path == "/json":
                body = plain(environ["wsgi.input"].read(), reviewer)
                start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
                return [body]
            return rivals(environ, start_response) if path.startswith("/flask") else inner(environ, start_response)

        endpoint.inner = beside
        return endpoint


def flask_app(reviewer: Reviewer) -> flask.Flask:
    """The same work behind Flask's routing."""
    app = flask.Flask(__name__)

    @app.post("/flask")
    def typed() -> flask.Response:
        return flask.Response(reviewer.answer(flask.request.get_data())[0], mimetype="application/json")

    @app.post("/flask-json")
    def untyped() -> flask.Response:
        return flask.jsonify(answered(flask.request.get_json(), reviewer))

    return app


def plain(body: bytes, reviewer: Reviewer) -> bytes:
    """The standard library's json instead of msgspec's typed decoding, before Flask."""
    return json.dumps(answered(json.loads(body), reviewer)).encode()


def answered(review: dict[str, Any], reviewer: Reviewer) -> dict[str, Any]:
    """The review's answer, through dictionaries of everything."""
    request = review["request"]
    resource, namespace = request["resource"], request["namespace"]
    policy = reviewer.policy()
    write = of_objects(
        policy.coverage[resource["group"], resource["resource"]].location,
        resource["group"],
        resource["resource"],
        request["operation"],
        namespace,
        request["object"],
        request["oldObject"],
        kind=request["object"]["kind"],
    )
    changes = reach(write, reviewer.view, policy).changes
    content = base64.b64encode(json.dumps(patch.operations(changes)).encode()).decode()
    response = {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": content}
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}


if __name__ == "__main__":
    data, port, api = sys.argv[1:4]
    settings = Settings(
        data=Path(data), port=int(port), workers=1, threads=THREADS, watch_images=False, staying="staying" in sys.argv
    )
    start(settings, lambda _: None, lambda settings: Bench(settings, Connection(api)))
