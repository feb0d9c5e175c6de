"""The admission policy as a server has it: refused at the start, noted in /readyz, with objects of an API."""

import pytest

from tests.unit.admission.streams import V1
from webhook.admission.policy_file import PolicyFile
from webhook.errors import NotFound
from webhook.kube.failure import Unreachable
from webhook.serving import policies
from webhook.serving.health import Note
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings


class Client:
    """Answers reads from a table; an exception in it is raised."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def read(self, path, _decoding, *, deadline):
        self.asked.append((path, deadline))
        answer = self.answers[path.rpartition("/")[2].replace("sha256:", "")[:3]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_file_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path):
    path = tmp_path / "admission.yaml"
    path.write_text("resolveImages: Perhaps")
    with pytest.raises(CannotServe, match=r"admission.yaml cannot be used as --admission-config: resolveImages: "):
        policies.policy_file(Settings(admission_config=path))


def test_readiness_notes_a_new_file_that_cannot_be_used():
    file = PolicyFile(None, "", strict=False)
    check = policies.check(file)
    assert check() is None
    file.problem = "/etc/admission.yaml is not used"
    assert isinstance(check(), Note)


def test_images_streams_and_namespaces_are_asked_for_within_a_second():
    image = {"metadata": {"name": V1}}
    stream = {"spec": {"tags": [{"name": "v1", "annotations": {"a": "b"}}]}}
    namespace = {"metadata": {"annotations": {"alpha.image.policy.openshift.io/ignore-rules": "one"}}}
    client = Client(**{V1[7:10]: image, "app": stream, "sho": namespace})
    objects = policies.objects(client)
    assert objects.tag_image("shop/app", "v1", V1)["metadata"] == {"name": V1, "annotations": {"a": "b"}}
    assert objects.ignored_rules("shop") == {"one"}
    api = "/apis/image.openshift.io/v1"
    assert client.asked == [
        (f"{api}/images/{V1}", 1.0),
        (f"{api}/namespaces/shop/imagestreams/app", 1.0),
        ("/api/v1/namespaces/shop", 1.0),
    ]


@pytest.mark.parametrize("failure", [NotFound.of("images", "", V1), Unreachable("no route to host")])
def test_what_is_not_there_or_cannot_be_read_is_nothing(failure):
    assert policies.objects(Client(**{V1[7:10]: failure})).image(V1) is None
