import pytest

from tests.unit.importer.requests import AA, BB, MISSING, failed, found, image, request
from webhook.importer import anonymous
from webhook.importer.fetched import Fetched, FetchedRepository


def unauthorized(text):
    return failed({**MISSING, "reason": "Unauthorized", "code": 401, "message": text})


WRONG = unauthorized('incorrect username or password for image "quay.io/acme/app:v1"')
REFUSED = unauthorized('you may not have access to the container image "quay.io/acme/app:v1"')


@pytest.mark.parametrize(
    ("images", "due"),
    [
        pytest.param([found(), WRONG], True, id="a password is wrong"),
        pytest.param([found(), REFUSED], False, id="access is refused, whatever the password"),
        pytest.param([found(), failed()], False, id="another failure"),
    ],
)
def test_only_a_wrong_password_is_a_reason_for_a_second_round(images, due):
    assert anonymous.is_due(Fetched(tuple(images))) is due


def test_what_the_first_round_brought_is_not_fetched_again():
    isi = request(image("quay.io/acme/app:v1"), image("quay.io/acme/web:v1"))
    (want,) = anonymous.found(isi, None, Fetched((found(), WRONG)))
    assert want.tried == "quay.io/acme/app:v1"


@pytest.mark.parametrize(
    ("second", "wanted"),
    [
        pytest.param(found(BB), found(BB), id="what it may read counts"),
        pytest.param(REFUSED, WRONG, id="what it may not read either keeps its first reason"),
        pytest.param(failed(), failed(), id="another failure counts"),
    ],
)
def test_the_second_round_counts_but_for_what_it_may_not_read(second, wanted):
    assert anonymous.better(Fetched((WRONG,)), Fetched((second,))).images == (wanted,)


def test_a_repository_that_only_the_first_round_could_list_stays():
    listed, refused = FetchedRepository((found(AA),)), FetchedRepository(failure=MISSING)
    assert anonymous.better(Fetched((), listed), Fetched((), refused)).repository is listed
    assert anonymous.better(Fetched((), refused), Fetched((), listed)).repository is listed
