"""The schemas that every group shares: metadata of objects and lists, Status, and references to objects."""

from __future__ import annotations

from typing import Final

from webhook.errors import Json
from webhook.meta.nodes import (
    LIST_META,
    OBJECT_META,
    array,
    boolean,
    integer,
    mapping,
    opaque,
    reference,
    string,
    structure,
    time,
)

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
_CORE: Final = "io.k8s.api.core.v1"
OBJECT_REFERENCE: Final = f"{_CORE}.ObjectReference"
LOCAL_OBJECT_REFERENCE: Final = f"{_CORE}.LocalObjectReference"
STATUS: Final = f"{_META}.Status"
DELETE_OPTIONS: Final = f"{_META}.DeleteOptions"
PATCH: Final = f"{_META}.Patch"

_MAP_BY_UID: Final[Json] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"]}
_STATUS_KIND: Final[Json] = {"x-kubernetes-group-version-kind": [{"group": "", "kind": "Status", "version": "v1"}]}

_OBJECT_META: Final = structure(
    "What all stored objects have: names, labels, versions and owners.",
    {
        "name": string("The name, unique among the objects of its kind in a namespace."),
        "generateName": string("A prefix from which the server makes a unique name when there is no name."),
        "namespace": string("The namespace of the object; empty for cluster-scoped objects."),
        "selfLink": string("No longer set by any server."),
        "uid": string("The identity of this object over its whole life. Set by the server."),
        "resourceVersion": string(
            "Changes with each write; send it back to refuse overwriting somebody else's change."
        ),
        "generation": integer("Counts the changes of the desired state. Set by the server."),
        "creationTimestamp": time("When the object was created. Set by the server."),
        "deletionTimestamp": time("When deletion was asked for. Set by the server."),
        "deletionGracePeriodSeconds": integer("How long the object may take to end. Set by the server."),
        "labels": mapping(string("The value of the label."), "Keys and values by which objects are selected."),
        "annotations": mapping(
            string("The value of the annotation."), "Keys and values that tools store with an object."
        ),
        "ownerReferences": array(
            reference(f"{_META}.OwnerReference"),
            "The objects that this one depends on; when all are gone it is garbage collected.",
            merge_key="uid",
            **_MAP_BY_UID,
        ),
        "finalizers": array(
            string("The name of whoever has to agree to the deletion."),
            "While this list is not empty the object is not removed.",
            strategy="merge",
            **{"x-kubernetes-list-type": "set"},
        ),
        "managedFields": array(
            reference(f"{_META}.ManagedFieldsEntry"),
            "Who set which fields, for server-side apply.",
            **{"x-kubernetes-list-type": "atomic"},
        ),
    },
)

_OWNER_REFERENCE: Final = structure(
    "An object in the same namespace (or a cluster-scoped one) that owns this one.",
    {
        "apiVersion": string("The group and version of the owner."),
        "kind": string("The kind of the owner."),
        "name": string("The name of the owner."),
        "uid": string("The uid of the owner."),
        "controller": boolean("True for the one owner that manages the object."),
        "blockOwnerDeletion": boolean("True where the owner, deleted in the foreground, waits for this object."),
    },
    required=("apiVersion", "kind", "name", "uid"),
    **{"x-kubernetes-map-type": "atomic"},
)

_MANAGED_FIELDS_ENTRY: Final = structure(
    "The fields that one manager set in one manner.",
    {
        "manager": string("Who set the fields."),
        "operation": string("How they were set: Apply or Update."),
        "apiVersion": string("The version in which they were set."),
        "time": time("When the entry last changed."),
        "fieldsType": string("The format of fieldsV1; always FieldsV1."),
        "fieldsV1": opaque("The fields, as a tree of keys."),
        "subresource": string("The subresource through which they were set."),
    },
)

_LIST_META: Final = structure(
    "What all lists have.",
    {
        "selfLink": string("No longer set by any server."),
        "resourceVersion": string("The version that the list shows; a watch may start from it."),
        "continue": string("Set while there are more objects; send it back to get them."),
        "remainingItemCount": integer("How many objects follow, where that is known."),
    },
)

_STATUS_CAUSE: Final = structure(
    "One of the reasons of a failure.",
    {
        "reason": string("The reason in one word."),
        "message": string("The reason for people."),
        "field": string("The path of the field in question."),
    },
)

_STATUS_DETAILS: Final = structure(
    "What a Status is about.",
    {
        "name": string("The name of the object."),
        "group": string("The group of the object."),
        "kind": string("The kind or the resource of the object."),
        "uid": string("The uid of the object."),
        "causes": array(reference(f"{_META}.StatusCause"), "The reasons one by one."),
        "retryAfterSeconds": integer("When it makes sense to try again."),
    },
)

_STATUS: Final = structure(
    "The outcome of an operation that has no object to show.",
    {
        "apiVersion": string("Always v1."),
        "kind": string("Always Status."),
        "metadata": reference(LIST_META, "Empty, except for a continue token that replaces an expired one."),
        "status": string("Success or Failure."),
        "message": string("What happened, for people."),
        "reason": string("What happened, in one word for programs."),
        "details": reference(f"{_META}.StatusDetails", "What it was about."),
        "code": integer("The HTTP status code."),
    },
    **_STATUS_KIND,
)

_PRECONDITIONS: Final = structure(
    "What must be true of an object for an operation to happen.",
    {"uid": string("The uid it must have."), "resourceVersion": string("The version it must have.")},
)

_DELETE_OPTIONS: Final = structure(
    "How to delete an object.",
    {
        "apiVersion": string("v1, or the group and version of the object."),
        "kind": string("Always DeleteOptions."),
        "gracePeriodSeconds": integer("How long the object may take to end."),
        "preconditions": reference(f"{_META}.Preconditions", "What must be true of the object."),
        "orphanDependents": boolean("Deprecated: use propagationPolicy."),
        "propagationPolicy": string("What happens to dependents: Orphan, Background or Foreground."),
        "dryRun": array(string("All."), "With the one value All nothing is deleted."),
        "ignoreStoreReadErrorWithClusterBreakingPotential": boolean("Accepted and without effect."),
    },
)

_OBJECT_REFERENCE: Final = structure(
    "A reference to an object, or to something in it.",
    {
        "kind": string("The kind of the object."),
        "namespace": string("The namespace of the object."),
        "name": string("The name of the object."),
        "uid": string("The uid of the object."),
        "apiVersion": string("The group and version of the object."),
        "resourceVersion": string("The version of the object."),
        "fieldPath": string("The part of the object that is meant."),
    },
    **{"x-kubernetes-map-type": "atomic"},
)

_LOCAL_OBJECT_REFERENCE: Final = structure(
    "A reference to an object in the same namespace.",
    {"name": string("The name of the object.")},
    **{"x-kubernetes-map-type": "atomic"},
)

DEFINITIONS: Final[dict[str, Json]] = {
    OBJECT_META: _OBJECT_META,
    LIST_META: _LIST_META,
    f"{_META}.OwnerReference": _OWNER_REFERENCE,
    f"{_META}.ManagedFieldsEntry": _MANAGED_FIELDS_ENTRY,
    STATUS: _STATUS,
    f"{_META}.StatusCause": _STATUS_CAUSE,
    f"{_META}.StatusDetails": _STATUS_DETAILS,
    f"{_META}.Preconditions": _PRECONDITIONS,
    DELETE_OPTIONS: _DELETE_OPTIONS,
    PATCH: {"description": "A patch of one of the media types of this operation.", "type": "object"},
    OBJECT_REFERENCE: _OBJECT_REFERENCE,
    LOCAL_OBJECT_REFERENCE: _LOCAL_OBJECT_REFERENCE,
}
"""Name → schema node."""
