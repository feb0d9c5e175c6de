"""Workloads as the admission tests send them, and what admission makes of them under a configuration."""

from tests.unit.admission.streams import INTEGRATED, view
from webhook.admission import configuration, patch, policy
from webhook.admission.decide import of_objects
from webhook.admission.objects import NOTHING
from webhook.admission.verdict import reach

VIEW = view()


def containers(*images):
    return [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]


def pod(*images, init=(), **metadata):
    spec = {"containers": containers(*images)}
    if init:
        spec["initContainers"] = [{"name": f"i{index}", "image": image} for index, image in enumerate(init)]
    return {"metadata": {"name": "web", **metadata}, "spec": spec}


def workload(*images, template=None, **metadata):
    return {"metadata": {"name": "web", **metadata}, "spec": {"template": pod(*images, **(template or {}))}}


def configured(text="", *, strict=False, **extensions):
    """The policy of a file with this text, or with these extensions."""
    config = configuration.read(text.encode() or b"{}")
    if extensions:
        changed = {"extensions": extensions}
        config = configuration.read(str(changed).replace("True", "true").replace("False", "false").encode())
    return policy.of(config, INTEGRATED, strict=strict)


def verdict(resource, obj, old=None, *, under, namespace="shop", subresource="", objects=NOTHING, view=VIEW, **more):
    """The verdict on a creation, or on an update of `old`; `resource` is like deployments.apps."""
    name, _, group = resource.partition(".")
    location = under.coverage[group, name].location
    operation = "CREATE" if old is None else "UPDATE"
    kind = more.pop("kind", "Pod")
    write = of_objects(
        location, group, name, operation, namespace, obj, old, subresource=subresource, kind=kind, **more
    )
    return reach(write, view, under, objects)


def changes(resource, obj, old=None, **more):
    """Pointer → new text of what is rewritten."""
    found = verdict(resource, obj, old, **more)
    return {patch.pointer(one.path): one.new for one in found.changes}
