from tests.unit.importer.requests import AA, BB, failed, found, image, request
from webhook.importer import answer
from webhook.importer.fetched import Fetched


def test_each_image_is_answered_at_its_place():
    spec = request(image(), image(to="other"))["spec"]
    status = answer.status(spec, Fetched((failed(), found())))
    assert [one["status"]["status"] for one in status["images"]] == ["Failure", "Success"]


def test_the_status_shows_the_images_as_they_are_stored():
    spec = request(image())["spec"]
    status = answer.status(spec, Fetched((found(members=[BB]),)))
    stored = {name: {"metadata": {"name": name, "uid": name[-4:]}} for name in (AA, BB)}
    after = answer.with_stored(status, spec, stored)
    assert after["images"][0]["image"]["metadata"]["uid"] == "aaaa"
    assert after["images"][0]["manifests"][0]["metadata"]["uid"] == "bbbb"
    assert status["images"][0]["image"]["metadata"] == {"name": AA}
