"""`imagesignatures`: one signature, stored inside its Image (image-api 4.5)."""

from __future__ import annotations

import uuid
from typing import Any

from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.rest import Call, Gone, Rest
from webhook.apiserver.stored import StoredRest
from webhook.errors import AlreadyExists, BadRequest, FieldError, Findings, Invalid, Json, NotFound
from webhook.meta import timestamps
from webhook.meta.resources import ResourceInfo

GROUP = "image.openshift.io"
# In errors the resource is spelled with a capital (image-api 0.2).
_RESOURCE = "imageSignatures"
_CLAIMS = ("conditions", "imageIdentity", "signedClaims", "created", "issuedBy", "issuedTo")


class ImageSignatureRest(Rest):
    """POST and DELETE."""

    def __init__(self, info: ResourceInfo, images: StoredRest, *, schema: Any) -> None:
        self.info, self.images, self.schema = info, images, schema

    def create(self, call: Call, obj: Json) -> Json:
        """Append the signature to its Image; what only a verifier may claim is cleared."""
        name = obj["metadata"].get("name") or ""
        findings = _findings(obj, name)
        if findings:
            raise Invalid.of(self.kind, GROUP, name, findings)
        kept = {key: value for key, value in obj.items() if key not in (*_CLAIMS, "kind", "apiVersion", "metadata")}
        meta = {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": timestamps.now()}
        signature = {"metadata": meta, **kept}

        def appended(image: Json | None) -> Json:
            present = (image or {}).get("signatures") or []
            if any(_is_same(one, signature) for one in present):
                raise AlreadyExists.of(_RESOURCE, GROUP, name)
            return {**(image or {}), "signatures": [*present, signature]}

        self.images.update(Call(call.user, "", dry_run=call.dry_run), name.partition("@")[0], appended)
        return {"kind": self.kind, "apiVersion": self.api_version, **signature}

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Gone:
        """Take the signature off its Image."""
        image_name, at, signature = name.partition("@")
        if not (image_name and at and signature) or "@" in signature:
            raise BadRequest("ImageSignatures must be accessed with <imageName>@<signatureName>")

        def without(image: Json | None) -> Json:
            present = (image or {}).get("signatures") or []
            left = [one for one in present if one["metadata"]["name"] != name]
            if len(left) == len(present):
                raise NotFound.of(_RESOURCE, GROUP, name)
            rest = {key: value for key, value in (image or {}).items() if key != "signatures"}
            return {**rest, "signatures": left} if left else rest

        within = Call(call.user, "", dry_run=call.dry_run or options.dry_run)
        self.images.update(within, image_name, without)
        return Gone()


def _is_same(one: Json, other: Json) -> bool:
    same_content = (one.get("type"), one.get("content")) == (other.get("type"), other.get("content"))
    return bool(one["metadata"]["name"] == other["metadata"]["name"] or same_content)


def _findings(obj: Json, name: str) -> Findings:
    findings: Findings = []
    image, at, signature = name.partition("@")
    if not (image and at and signature) or "@" in signature:
        why = "name must be of format <imageName>@<signatureName>"
        findings.append(FieldError.invalid("metadata.name", name, why))
    for key in ("labels", "annotations"):
        if obj["metadata"].get(key):
            findings.append(FieldError.forbidden(f"metadata.{key}", f"signature {key} cannot be set"))
    findings += [FieldError.required(key) for key in ("type", "content") if not obj.get(key)]
    return findings
