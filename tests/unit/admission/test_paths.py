"""Where custom resources may have images."""

import pytest

from webhook.admission import paths

WORKFLOW = {
    "spec": {
        "image": "php:8.2",
        "templates": [{"container": {"image": "a:1"}}, {"script": {"image": "b:1"}}, {"container": {"image": 3}}, None],
        "pools": {"one": {"image": "c:1"}, "two/x": {"image": "d:1"}},
        "example.com/image": "e:1",
    }
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.image", {("spec", "image"): "php:8.2"}),
        (".spec.image", {("spec", "image"): "php:8.2"}),
        ("spec.templates[*].container.image", {("spec", "templates", 0, "container", "image"): "a:1"}),
        ("spec.templates[1].script.image", {("spec", "templates", 1, "script", "image"): "b:1"}),
        ("spec.templates[9].script.image", {}),
        ("spec.pools.*.image", {("spec", "pools", "one", "image"): "c:1", ("spec", "pools", "two/x", "image"): "d:1"}),
        (r"spec.example\.com/image", {("spec", "example.com/image"): "e:1"}),
        ("spec.templates", {}),
        ("status.image", {}),
        ("spec[*].image", {}),
    ],
)
def test_a_path_leads_to_texts(path, expected):
    assert dict(paths.strings(WORKFLOW, paths.parse(path))) == expected


@pytest.mark.parametrize(
    "path", ["", "*", "[*].a", "a..b", "a.", "a[", "a[-1]", "a[b]", "a[*", "$.a[?(@.b)]", 'a["b"]']
)
def test_everything_else_is_no_path(path):
    with pytest.raises(ValueError, match="is no path like"):
        paths.parse(path)
