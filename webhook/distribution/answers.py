"""What the answers of a registry mean: its errors, its lists of tags, and whether bytes are what was asked for."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from webhook.distribution import link
from webhook.distribution.credentials import Credential
from webhook.distribution.failures import (
    ContentMismatch,
    Denied,
    DistributionError,
    ManifestUnknown,
    RepositoryUnknown,
    TooLarge,
    UnexpectedAnswer,
)
from webhook.distribution.transport import Answer
from webhook.image import digest as digests
from webhook.image import manifest as manifests
from webhook.image.configuration import BadContent

_MAX_ERRORS: Final = 1024 * 1024
_MAX_TAGS: Final = 200_000
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_ERROR_CODE = re.compile(r"[A-Z_]{1,40}")


def checked_digest(answer: Answer, reference: str) -> str:
    """The digest of a manifest; raises ContentMismatch when it is not the one asked for or claimed."""
    claimed = answer.headers.get("Docker-Content-Digest", "")
    expected = reference if digests.is_digest(reference) else claimed
    payload = answer.body
    if expected and digests.is_digest(expected) and not manifests.check_content(payload, expected):
        payload = _payload(answer.body)
        if not manifests.check_content(payload, expected):
            raise ContentMismatch(f"content integrity error: the manifest is not {expected}")
    return reference if digests.is_digest(reference) else manifests.content_digest(payload)


def claimed_digest(answer: Answer) -> str:
    """The digest that the headers of a manifest tell, by their own name or as ETag; empty where they do not."""
    etag = answer.headers.get("ETag", "").removeprefix("W/").strip('"')
    found = (answer.headers.get("Docker-Content-Digest", ""), etag)
    return next((one for one in found if digests.is_digest(one)), "")


def media_type(answer: Answer) -> str:
    """The media type without its parameters."""
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()


def _payload(body: bytes) -> bytes:
    try:
        return manifests.signed_payload(body)
    except BadContent:
        return body


def tags(body: bytes) -> list[str]:
    """The tags of one page; raises UnexpectedAnswer for anything else, and TooLarge."""
    # Before anything is decoded: small values take much more memory than bytes.
    check_count(body.count(b","))
    try:
        found = json.loads(body).get("tags") or []
    except (ValueError, AttributeError, RecursionError):
        raise UnexpectedAnswer("the registry did not answer with a list of tags") from None
    if not isinstance(found, list):
        raise UnexpectedAnswer("the registry did not answer with a list of tags")
    return [tag for tag in found if isinstance(tag, str) and (not tag or _TAG.fullmatch(tag))]


def check_count(tags: int) -> None:
    """Refuse more tags than are sorted: the most important ones may be anywhere in the list. Raises TooLarge."""
    if tags > _MAX_TAGS:
        raise TooLarge(f"the repository has more than {_MAX_TAGS} tags")


def next_page(answer: Answer) -> str:
    """The query of the page after this one of a list of tags; empty for the last."""
    following = link.next_target(answer.headers.get("Link", ""))
    if not following:
        return ""
    try:
        # Only the query of another page matters; registries behind proxies name hosts that are not theirs.
        query: str = urlsplit(urljoin(answer.url, following)).query
    except ValueError:
        raise UnexpectedAnswer("the registry's list of tags goes on at an address that cannot be read") from None
    if not query:
        raise UnexpectedAnswer("the registry's list of tags does not end")
    return query


def failure(answer: Answer, credential: Credential | None) -> DistributionError:
    """The error that an answer other than 200 stands for."""
    listed = _errors(answer.body)
    found = [code for code, _ in listed]
    if "UNAUTHORIZED" in found or (answer.status == 401 and not listed):
        return Denied("the registry refuses access")
    if "MANIFEST_UNKNOWN" in found:
        return ManifestUnknown("manifest unknown")
    if "NAME_UNKNOWN" in found:
        return RepositoryUnknown("name unknown: the registry has no such repository")
    if not listed:
        status = f"{answer.status} {answer.reason}".strip()
        return UnexpectedAnswer(f"received unexpected HTTP status: {status}")
    texts = [f"{code.lower().replace('_', ' ')}: {_harmless(text, credential)}" for code, text in listed]
    return UnexpectedAnswer("; ".join(text.removesuffix(": ") for text in texts[:3]))


def codes(body: bytes) -> list[str]:
    """The codes of a registry's error list; empty when the body is none."""
    return [code for code, _ in _errors(body)]


def _errors(body: bytes) -> list[tuple[str, str]]:
    try:
        listed = json.loads(body[:_MAX_ERRORS]).get("errors")
    except (ValueError, AttributeError, RecursionError):
        return []
    found = []
    for one in listed if isinstance(listed, list) else ():
        code, message = (one.get("code"), one.get("message")) if isinstance(one, dict) else (None, None)
        if isinstance(code, str) and _ERROR_CODE.fullmatch(code):
            found.append((code, message if isinstance(message, str) else ""))
    return found


def _harmless(text: str, credential: Credential | None) -> str:
    """A registry's own words, short, printable, and without the password should it send that back in either form."""
    if credential and credential.password:
        # Before anything is cut off: half a password is one too much.
        text = text.replace(credential.password, "***").replace(credential.basic, "***")
    return "".join(letter if letter.isprintable() else " " for letter in text[:200])
