import json

import pytest

from tests.unit.distribution.stub import digest
from webhook.distribution import answers, failures
from webhook.distribution.credentials import Credential
from webhook.distribution.transport import Answer

MANIFEST = b'{"schemaVersion": 2}'
DIGEST, OTHER = digest(MANIFEST), "sha256:" + "ee" * 32
LIST = "https://quay.io/v2/team/app/tags/list"


def answer(status=200, body=b"", url=LIST, reason="", **headers):
    return Answer(status, reason, {name.replace("_", "-"): value for name, value in headers.items()}, body, url)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        pytest.param({"Docker_Content_Digest": DIGEST}, DIGEST, id="by its own header"),
        pytest.param({"ETag": f'"{DIGEST}"'}, DIGEST, id="as ETag"),
        pytest.param({"ETag": f'W/"{DIGEST}"'}, DIGEST, id="as a weak ETag"),
        pytest.param({"Docker_Content_Digest": DIGEST, "ETag": f'"{OTHER}"'}, DIGEST, id="its own header before ETag"),
        pytest.param({"ETag": '"5f3c-1a"'}, "", id="an ETag that is no digest"),
        pytest.param({"Docker_Content_Digest": "sha256:short"}, "", id="a digest that is none"),
        pytest.param({}, "", id="nothing"),
    ],
)
def test_a_digest_is_told_by_headers(headers, wanted):
    assert answers.claimed_digest(answer(**headers)) == wanted


@pytest.mark.parametrize("reference", ["v1", DIGEST])
def test_the_digest_of_a_manifest_is_that_of_its_bytes(reference):
    assert answers.checked_digest(answer(body=MANIFEST), reference) == DIGEST


def test_bytes_that_are_not_what_was_asked_for_are_refused():
    with pytest.raises(failures.ContentMismatch):
        answers.checked_digest(answer(body=MANIFEST), OTHER)
    with pytest.raises(failures.ContentMismatch):
        answers.checked_digest(answer(body=MANIFEST, Docker_Content_Digest=OTHER), "v1")


@pytest.mark.parametrize(
    ("header", "query"),
    [
        ("", ""),
        ('</v2/team/app/tags/list?last=b&n=2>; rel="next"', "last=b&n=2"),
        ("<https://internal/v2/team/app/tags/list?last=b>; rel=next", "last=b"),
        ('</v2/team/app/tags/list?last=b>; rel="prev"', ""),
    ],
)
def test_the_next_page_is_named_by_its_query(header, query):
    assert answers.next_page(answer(Link=header)) == query


def test_a_page_that_leads_nowhere_is_refused():
    with pytest.raises(failures.UnexpectedAnswer, match="does not end"):
        answers.next_page(answer(url=f"{LIST}?n=2", Link='</v2/team/app/tags/list>; rel="next"'))


def test_a_registrys_words_are_quoted_without_the_password():
    reader = Credential("reader", "hunter2")
    body = json.dumps({"errors": [{"code": "DENIED", "message": f"hunter2 is wrong\x1b[0m: {reader.basic}"}]}).encode()
    assert str(answers.failure(answer(403, body), reader)) == "denied: *** is wrong [0m: ***"
