"""One certificate for all copies of the webhook: who writes it, what is trusted, and what if the API is away."""

import base64
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from webhook.errors import Conflict, Forbidden, NotFound
from webhook.kube.failure import Unreachable
from webhook.serving import cluster_certificate
from webhook.serving.cluster_certificate import ClusterCertificate, bundle, hosts_of
from webhook.serving.workspace import CannotServe
from webhook.tls.authority import Authority

SECRET = "/api/v1/namespaces/images/secrets/tls"
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hook"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook"
NOW = datetime.now(UTC)


class Api:
    """A Secret and a configuration, with optimistic locking; `failure` is raised instead of any answer."""

    def __init__(self):
        service = {"name": "hook", "namespace": "images", "port": 443}
        hooks = [{"name": "images", "failurePolicy": "Ignore", "clientConfig": {"service": service}}]
        self.objects = {
            SECRET: {"metadata": {"resourceVersion": "1"}},
            CONFIGURATION: {"metadata": {"resourceVersion": "1"}, "webhooks": hooks},
        }
        self.updates = []
        self.failure = None
        self.lock = threading.Lock()

    def get(self, path):
        if self.failure:
            raise self.failure
        if path not in self.objects:
            raise NotFound(f"{path} not found")
        return self.objects[path]

    def update(self, path, body):
        with self.lock:
            stored = self.objects[path]["metadata"]["resourceVersion"]
            if body["metadata"]["resourceVersion"] != stored:
                raise Conflict("the object has been modified")
            self.objects[path] = {**body, "metadata": {"resourceVersion": str(int(stored) + 1)}}
            self.updates.append(path)

    def close(self):
        pass

    def secret(self, key):
        return base64.b64decode(self.objects[SECRET]["data"][key])

    def trusted(self, path=CONFIGURATION):
        return base64.b64decode(self.objects[path]["webhooks"][0]["clientConfig"]["caBundle"])


@pytest.fixture
def api():
    return Api()


def copy_of(api, folder):
    return ClusterCertificate(api, "images", "tls", "hook", folder)


def certificate(pem):
    return x509.load_pem_x509_certificate(pem)


def test_the_first_copy_fills_the_secret_and_is_trusted(api, tmp_path):
    one = copy_of(api, tmp_path)
    one.start()
    shown = certificate(one.pair.certificate.read_bytes())
    shown.verify_directly_issued_by(certificate(api.trusted()))
    named = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == ["hook.images.svc"]
    assert shown.not_valid_after_utc - NOW < timedelta(days=91)
    assert one.pair.key.stat().st_mode & 0o077 == 0


def test_other_copies_take_what_is_there_and_write_nothing(api, tmp_path):
    first, second = copy_of(api, tmp_path / "1"), copy_of(api, tmp_path / "2")
    first.start()
    written = list(api.updates)
    second.start()
    second.renew()
    assert second.pair.certificate.read_bytes() == first.pair.certificate.read_bytes()
    assert second.pair.key.read_bytes() == first.pair.key.read_bytes()
    assert api.updates == written


def test_a_configuration_that_validates_trusts_the_same_authority(api, tmp_path):
    api.objects[VALIDATING] = api.objects[CONFIGURATION]
    ClusterCertificate(api, "images", "tls", "hook", tmp_path, validating="hook").start()
    assert api.trusted(VALIDATING) == api.trusted()


def test_a_configuration_that_validates_may_be_taken_away(api, tmp_path):
    one = ClusterCertificate(api, "images", "tls", "hook", tmp_path, validating="hook")
    one.start()
    certificate(one.pair.certificate.read_bytes()).verify_directly_issued_by(certificate(api.trusted()))


def test_a_configuration_that_validates_and_was_applied_anew_is_trusted_long_before_the_next_round(
    api, tmp_path, monkeypatch
):
    untrusting = api.objects[CONFIGURATION]
    one = ClusterCertificate(api, "images", "tls", "hook", tmp_path, validating="hook")
    one.start()
    waits = []

    def pause(seconds, stopping):
        waits.append(seconds)
        api.objects[VALIDATING] = untrusting

    monkeypatch.setattr(cluster_certificate, "pause", pause)
    one.keep(lambda: VALIDATING in api.updates)
    assert api.trusted(VALIDATING) == api.trusted()
    assert len(waits) == 1
    assert waits[0] <= 12


@pytest.mark.parametrize("validating", ["", "hook"], ids=["without validation", "with validation"])
def test_the_certificate_is_looked_after_every_ten_minutes(api, tmp_path, monkeypatch, validating):
    one = ClusterCertificate(api, "images", "tls", "hook", tmp_path, validating=validating)
    one.start()
    waits = []
    monkeypatch.setattr(cluster_certificate, "pause", lambda seconds, _: waits.append(seconds))
    monkeypatch.setattr(cluster_certificate.random, "uniform", lambda *_: 1.0)
    del api.objects[SECRET]["data"]
    one.keep(lambda: "data" in api.objects[SECRET])
    assert sum(waits) == 600


def test_what_else_a_webhook_says_is_kept(api, tmp_path):
    copy_of(api, tmp_path).start()
    hook = api.objects[CONFIGURATION]["webhooks"][0]
    assert hook["failurePolicy"] == "Ignore"
    assert hook["clientConfig"]["service"]["port"] == 443


def test_of_two_copies_that_start_together_one_wins_and_both_agree(api, tmp_path):
    copies = [copy_of(api, tmp_path / str(number)) for number in range(4)]
    threads = [threading.Thread(target=one.start) for one in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert api.updates.count(SECRET) == 1
    assert {one.pair.certificate.read_bytes() for one in copies} == {api.secret("tls.crt")}
    certificate(api.secret("tls.crt")).verify_directly_issued_by(certificate(api.trusted()))


def test_after_two_thirds_of_its_life_it_is_renewed_by_the_same_authority(api, tmp_path):
    one = copy_of(api, tmp_path)
    one.start()
    before, trusted = api.secret("tls.crt"), api.trusted()
    one.renew(NOW + timedelta(days=59))
    assert api.secret("tls.crt") == before
    one.renew(NOW + timedelta(days=61))
    assert api.secret("tls.crt") != before
    assert one.pair.certificate.read_bytes() == api.secret("tls.crt")
    assert api.trusted() == trusted


def test_an_authority_that_is_replaced_stays_trusted_beside_the_new_one(api, tmp_path):
    one = copy_of(api, tmp_path)
    one.start()
    old = api.trusted()
    one.renew(NOW + timedelta(days=3640))
    assert api.trusted().endswith(old)
    both = x509.load_pem_x509_certificates(api.trusted())
    assert len(both) == 2
    certificate(one.pair.certificate.read_bytes()).verify_directly_issued_by(both[0])


@pytest.mark.parametrize("content", [b"", b"nothing of the sort", b"\xff"])
def test_a_secret_that_holds_something_else_is_filled_anew(api, tmp_path, content):
    api.objects[SECRET]["data"] = {key: base64.b64encode(content).decode() for key in ("ca.crt", "ca.key", "tls.crt")}
    copy_of(api, tmp_path).start()
    certificate(api.secret("tls.crt")).verify_directly_issued_by(certificate(api.trusted()))


@pytest.mark.parametrize("failure", [Unreachable("refused"), Forbidden("may not")], ids=["no answer", "a refusal"])
def test_the_api_may_be_away_for_a_second_start_but_not_for_the_first(api, tmp_path, failure):
    api.failure = failure
    with pytest.raises(CannotServe, match="no certificate to serve"):
        copy_of(api, tmp_path).start()
    api.failure = None
    copy_of(api, tmp_path).start()
    api.failure = failure
    again = copy_of(api, tmp_path)
    again.start()
    assert again.pair.certificate.read_bytes() == api.secret("tls.crt")


def test_expired_authorities_are_trusted_no_more(tmp_path):
    authorities = [Authority(tmp_path / str(days)) for days in (4000, 10, 0)]
    for authority, days in zip(authorities, (4000, 10, 0), strict=True):
        authority.ensure(["x"], NOW - timedelta(days=days))
    expired, old, own = (authority.certificate.read_bytes() for authority in authorities)
    assert bundle(expired + old, own, NOW) == own + old
    assert bundle(own + old, own, NOW) == own + old
    assert bundle(b"\n", own, NOW) == own


def test_the_names_are_those_of_the_services():
    hooks = [{"clientConfig": {"service": {"name": "a", "namespace": "b"}}}] * 2
    assert hosts_of({"webhooks": hooks}) == ["a.b.svc"]
    with pytest.raises(ValueError, match="no Service"):
        hosts_of({"webhooks": [{"clientConfig": {"url": "https://example.com"}}]})
