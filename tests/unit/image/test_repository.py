import pytest

from webhook.image import repository


@pytest.mark.parametrize(
    ("stream", "name", "insecure"),
    [
        pytest.param({}, "", False, id="a stream that says nothing"),
        pytest.param({"spec": {"dockerImageRepository": "quay.io/acme/app"}}, "quay.io/acme/app", False, id="one"),
        pytest.param({"metadata": {"annotations": {repository.INSECURE_ANNOTATION: "true"}}}, "", True, id="insecure"),
        pytest.param({"metadata": {"annotations": {repository.INSECURE_ANNOTATION: "yes"}}}, "", False, id="a word"),
    ],
)
def test_a_stream_may_name_a_whole_repository(stream, name, insecure):
    assert (repository.name(stream), repository.is_insecure(stream)) == (name, insecure)
