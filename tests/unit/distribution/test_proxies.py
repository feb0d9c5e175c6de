import pytest

from webhook.distribution.proxies import from_environment
from webhook.reloading import Unusable

PROXY = {"HTTP_PROXY": "http://plain.example.com:3128", "HTTPS_PROXY": "secure.example.com:3129"}


def proxy_for(host="quay.io", port=443, scheme="https", **environ):
    return from_environment({**PROXY, **environ}).proxy_for(scheme, host, port)


def test_each_scheme_has_its_proxy():
    assert proxy_for(scheme="http") == "http://plain.example.com:3128"
    assert proxy_for(scheme="https") == "http://secure.example.com:3129"


def test_without_an_environment_there_is_no_proxy():
    assert from_environment({}).proxy_for("https", "quay.io", 443) == ""


def test_names_may_be_in_small_letters():
    found = from_environment({"https_proxy": "http://p:1", "no_proxy": "quay.io"})
    assert [found.proxy_for("https", host, 443) for host in ("quay.io", "ghcr.io")] == ["", "http://p:1"]


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        pytest.param("*", "quay.io", 443, True, id="everything"),
        pytest.param("quay.io", "quay.io", 443, True, id="a host"),
        pytest.param("quay.io", "cdn.quay.io", 443, True, id="and what is below it"),
        pytest.param("quay.io", "notquay.io", 443, False, id="but not what only ends like it"),
        pytest.param(".quay.io", "quay.io", 443, False, id="with a dot only what is below"),
        pytest.param(".quay.io", "cdn.quay.io", 443, True, id="with a dot what is below"),
        pytest.param("*.quay.io", "cdn.quay.io", 443, True, id="a star is a dot"),
        pytest.param("quay.io:8443", "quay.io", 443, False, id="another port"),
        pytest.param("quay.io:8443", "quay.io", 8443, True, id="the port"),
        pytest.param("QUAY.IO", "quay.io.", 443, True, id="in any case, with the root's dot"),
        pytest.param("a.io, b.io c.io", "c.io", 443, True, id="commas and blanks"),
        pytest.param("10.0.0.0/8", "10.1.2.3", 443, True, id="a network"),
        pytest.param("10.0.0.0/8", "11.1.2.3", 443, False, id="another network"),
        pytest.param("10.0.0.0/8", "ten.example.com", 443, False, id="a network is not for names"),
        pytest.param("10.1.2.3", "10.1.2.3", 443, True, id="an address"),
        pytest.param("10.1.2.3:5000", "10.1.2.3", 5000, True, id="an address and port"),
        pytest.param("fd00::/8", "fd12::1", 443, True, id="a network of IPv6"),
        pytest.param("[fd12::1]:5000", "fd12::1", 5000, True, id="an address of IPv6 and port"),
        pytest.param("", "localhost", 5000, True, id="this machine, always"),
        pytest.param("", "127.0.0.1", 5000, True, id="this machine by address"),
        pytest.param("", "::1", 5000, True, id="this machine by IPv6"),
    ],
)
def test_no_proxy(no_proxy, host, port, direct):
    assert (proxy_for(host, port, NO_PROXY=no_proxy) == "") is direct


@pytest.mark.parametrize("text", ["socks5://proxy:1080", "http://", "http://[::1", "http://proxy:port"])
def test_what_is_no_http_proxy_is_refused_without_showing_it(text):
    with pytest.raises(Unusable, match="HTTPS_PROXY in the environment is not the address of an HTTP proxy") as caught:
        from_environment({"HTTPS_PROXY": text.replace("//", "//user:hunter2@")})
    assert "hunter2" not in str(caught.value)


def test_a_password_does_not_show_when_printed():
    assert "hunter2" not in repr(from_environment({"HTTPS_PROXY": "http://user:hunter2@proxy:3128"}))
