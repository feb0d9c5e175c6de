import pytest

from webhook.image import digest

HEX = "3c87c572822935df60f0f5d3665bd376841a7fcfeb806b5f212de6a00e9a7b25"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"sha256:{HEX}", True, id="sha256 with 64 digits"),
        pytest.param(f"sha256:{HEX.upper()}", True, id="upper-case digits"),
        pytest.param(f"sha384:{'0' * 96}", True, id="sha384 with 96 digits"),
        pytest.param(f"sha512:{'0' * 128}", True, id="sha512 with 128 digits"),
        pytest.param(f"sha256:{HEX}0", False, id="a digit too many"),
        pytest.param(f"sha256:{HEX[1:]}", False, id="a digit missing"),
        pytest.param(f"sha256:{'0' * 100_000}", False, id="far too many digits"),
        pytest.param(f"md5:{'0' * 32}", False, id="another algorithm"),
        pytest.param(HEX, False, id="no algorithm"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_digest_is_a_known_algorithm_with_its_number_of_digits(text, expected):
    assert digest.is_digest(text) is expected


def test_check_says_what_is_wrong():
    with pytest.raises(digest.InvalidDigest, match="invalid checksum digest format"):
        digest.check("sha256:xyz")


@pytest.mark.parametrize(
    ("candidate", "query", "expected"),
    [
        pytest.param(f"sha256:{HEX}", "3c87", True, id="the first digits"),
        pytest.param(f"sha256:{HEX}", "sha256:3c87", True, id="the first digits after the algorithm"),
        pytest.param(f"sha256:{HEX}", f"sha256:{HEX}", True, id="all of it"),
        pytest.param(f"sha256:{HEX}", "c572", False, id="digits from the middle"),
        pytest.param("build-17", "build", True, id="an image that has no digest as its name"),
        pytest.param("x:build-17", "build", False, id="a colon alone makes no digest"),
    ],
)
def test_a_shortened_digest_means_what_it_begins(candidate, query, expected):
    assert digest.matches_prefix(candidate, query) is expected
