"""Replacing a value changes its characters only, and the text then reads as the expected document."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from webhook.cli import yaml_text

DIGEST = "quay.io/library/php@sha256:" + "4b" * 32
LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


def rewrite(text: str, changes: dict[yaml_text.Path, str]) -> str:
    (document,) = yaml_text.documents(text)
    edits, left = document.edits(changes)
    assert left == []
    return yaml_text.apply(text, edits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("image: php:8.2 # keep\n", f"image: {DIGEST} # keep\n", id="plain stays plain, its comment stays"),
        pytest.param("image: 'php:8.2'\n", f"image: '{DIGEST}'\n", id="single quotes stay"),
        pytest.param('image: "php:8.2"\n', f'image: "{DIGEST}"\n', id="double quotes stay"),
        pytest.param("image:   php:8.2   \r\nb: 1\r\n", f"image:   {DIGEST}   \r\nb: 1\r\n", id="CRLF and blanks stay"),
        pytest.param("image:\n    php:8.2\n", f"image:\n    {DIGEST}\n", id="a value on its own line stays there"),
        pytest.param("{image: php, b: 1}", f"{{image: {DIGEST}, b: 1}}", id="flow mapping"),
        pytest.param("{image: php}", f"{{image: {DIGEST}}}", id="flow mapping that ends with the value"),
        pytest.param('{"image":"php"}', f'{{"image":"{DIGEST}"}}', id="compact JSON"),
        pytest.param(
            '{\n\t"a": "\\ud83d\\ude00\\/",\n\t"image": "php"\n}\n',
            f'{{\n\t"a": "\\ud83d\\ude00\\/",\n\t"image": "{DIGEST}"\n}}\n',
            id="JSON with tabs and surrogate pairs, which no YAML parser reads",
        ),
        pytest.param("image: &php php:8.2\n", f"image: &php {DIGEST}\n", id="the anchor stays"),
        pytest.param("image: !!str php:8.2\n", f"image: !!str {DIGEST}\n", id="the tag stays"),
        pytest.param(
            "image: !!str &php # why\n  'php'\n", f"image: !!str &php # why\n  '{DIGEST}'\n", id="anchor, tag, comment"
        ),
        pytest.param(
            "image: |-\n  php:8.2\n\n\n# next\nb: 1\n",
            f'image: "{DIGEST}"\n\n\n# next\nb: 1\n',
            id="a literal block becomes quoted, blank lines and comments after it stay",
        ),
        pytest.param(
            "image: >-  # folded\n  php:8.2\nb: 1\n",
            f'image: "{DIGEST}"  # folded\nb: 1\n',
            id="a folded block keeps the comment of its header",
        ),
        pytest.param("image: |-\n  php", f'image: "{DIGEST}"', id="a block at the end without a line break"),
        pytest.param("a: 'ü😀'\nimage: php\n", f"a: 'ü😀'\nimage: {DIGEST}\n", id="behind characters beyond ASCII"),
        pytest.param("--- # one\nimage: php\n...\n", f"--- # one\nimage: {DIGEST}\n...\n", id="document markers stay"),
        pytest.param("%YAML 1.1\n---\nimage: php\n", f"%YAML 1.1\n---\nimage: {DIGEST}\n", id="directives stay"),
        pytest.param("image: a\nimage: php\n", f"image: a\nimage: {DIGEST}\n", id="the last of equal keys counts"),
    ],
)
def test_a_replaced_value_changes_nothing_else(before, after):
    assert rewrite(before, {("image",): DIGEST}) == after


@pytest.mark.parametrize("style", ["", "'", '"'], ids=["plain", "single", "double"])
@given(value=st.text())
def test_a_scalar_reads_as_the_string_it_was_made_of(style, value):
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        return
    written = yaml_text.scalar(value, style)
    for loader in LOADERS:
        assert yaml.load(f"{{a: {written}}}", Loader=loader) == {"a": value}
        assert yaml.load(f"a: {written}\n", Loader=loader) == {"a": value}
    if written.startswith('"'):
        assert json.loads(written) == value


@pytest.mark.parametrize(
    "word", ["yes", "No", "NULL", "123", "1e3", "0x1F", "0o17", "12:30", "2001-01-01", "1_000", "a:"]
)
def test_what_reads_as_something_else_is_not_plain(word):
    assert not yaml_text.is_plain(word)


@pytest.mark.parametrize("text", ["php", "php:8.2", DIGEST, "registry:5000/a/b:v1", "10.0.0.1:5000/a/b@sha256:00"])
def test_pull_specs_are_plain(text):
    assert yaml_text.is_plain(text)


WORDS = st.text("abcxyz", min_size=1, max_size=6)
IMAGES = st.builds("{}:{}".format, WORDS, WORDS)
COMMENTS = st.sampled_from(["", "", '  # note: it\'s "here"', " # ü😀 &a *b"])


@st.composite
def written_values(draw: Any, value: str, indent: str, newline: str, anchor: str) -> str:
    """The value in any style in which YAML can write it, behind a key at this indentation."""
    comment = draw(COMMENTS)
    style = draw(st.sampled_from(["plain", "'", '"', "|-", ">-", "own line", "tagged", "anchored"]))
    if style in ("|-", ">-"):
        blank = draw(st.sampled_from(["", newline, newline + "  " + newline]))
        return f"{style}{comment}{newline}{indent}   {value}{newline}{blank}"
    text = {
        "'": f"'{value}'",
        '"': f'"{value}"',
        "own line": f"{comment}{newline}{indent}    {value}",
        "tagged": f"!!str '{value}'",
        "anchored": f"&{anchor} {value}",
    }
    return text.get(style, value) + comment + newline


@st.composite
def texts(draw: Any) -> tuple[str, Any, list[yaml_text.Path]]:
    """A block-style text, the document it stands for, and the paths of the images in it."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [draw(st.sampled_from(["", "---" + newline, f"# head{newline}---{newline}"]))]
    expected: dict[str, Any] = {}
    paths: list[yaml_text.Path] = []
    for key in draw(st.lists(WORDS, unique=True, min_size=1, max_size=5)):
        kind = draw(st.sampled_from(["scalar", "list", "flow"]))
        values = draw(st.lists(IMAGES, min_size=1, max_size=3))
        if kind == "scalar":
            lines.append(f"{key}: " + draw(written_values(values[0], "", newline, key)))
            expected[key] = values[0]
            paths.append((key,))
            continue
        expected[key] = [{"image": value} for value in values]
        paths += [(key, index, "image") for index in range(len(values))]
        if kind == "flow":
            quote = draw(st.sampled_from(["", "'", '"']))
            inner = ", ".join(f"{{image: {quote}{value}{quote}}}" for value in values)
            lines.append(f"{key}: [{inner}]{draw(COMMENTS)}{newline}")
        else:
            lines.append(f"{key}:{draw(COMMENTS)}{newline}")
            for index, value in enumerate(values):
                lines.append("  - image: " + draw(written_values(value, "    ", newline, f"{key}-{index}")))
    return "".join(lines), expected, paths


def put(document: Any, path: yaml_text.Path, value: str) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@given(data=st.data(), source=texts(), new=st.one_of(st.just(DIGEST), st.text("ab:'\"# {}@\\é\n\t😀")))
def test_replacing_any_value_changes_its_characters_only_and_reads_as_expected(data, source, new):
    text, expected, paths = source
    (document,) = yaml_text.documents(text)
    assert document.value == expected
    path = data.draw(st.sampled_from(paths))
    (edit,), left = document.edits({path: new})
    after = yaml_text.apply(text, [edit])

    assert left == []
    assert after.startswith(text[: edit.start])
    assert after.endswith(text[edit.end :])
    replaced = text[edit.start : edit.end]
    assert replaced.strip() == replaced
    assert yaml.load(after, Loader=yaml.SafeLoader) == put(expected, path, new)


@given(source=texts())
def test_replacing_each_value_by_itself_keeps_the_document(source):
    text, expected, paths = source
    (document,) = yaml_text.documents(text)
    values = {path: document_value(expected, path) for path in paths}
    edits, left = document.edits(values)
    assert (len(edits), left) == (len(paths), [])
    assert yaml.safe_load(yaml_text.apply(text, edits)) == expected


def document_value(document: Any, path: yaml_text.Path) -> Any:
    for step in path:
        document = document[step]
    return document


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text('aé😀\\/"\n\t', max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)


@given(
    around=st.dictionaries(WORDS, JSON_VALUES, max_size=3),
    indent=st.sampled_from([None, 2, "\t"]),
    ascii_only=st.booleans(),
)
def test_json_keeps_its_layout(around, indent, ascii_only):
    def write(image: str) -> str:
        return json.dumps({"first": around, "image": image, "last": around}, indent=indent, ensure_ascii=ascii_only)

    assert rewrite(write("php:8.2"), {("image",): DIGEST}) == write(DIGEST)


def test_several_json_texts_in_a_row_are_several_documents():
    text = '{"image": "php"}\n{"image": "ruby"}\n'
    first, second = yaml_text.documents(text)
    edits = first.edits({("image",): "php:1"})[0] + second.edits({("image",): "ruby:2"})[0]
    assert yaml_text.apply(text, edits) == '{"image": "php:1"}\n{"image": "ruby:2"}\n'


ALIASED = "a: &x php\nb: *x\nc: [*x]\n"


def test_an_aliased_value_is_written_at_its_anchor_when_all_uses_agree():
    assert rewrite(ALIASED, {("a",): DIGEST, ("b",): DIGEST, ("c", 0): DIGEST}) == f"a: &x {DIGEST}\nb: *x\nc: [*x]\n"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({("a",): DIGEST}, id="one use is not to change"),
        pytest.param({("a",): DIGEST, ("b",): DIGEST, ("c", 0): "ruby"}, id="two uses differ"),
    ],
)
def test_an_aliased_value_is_left_when_uses_differ(changes):
    (document,) = yaml_text.documents(ALIASED)
    assert document.edits(changes) == ([], list(changes))


def test_an_anchor_that_is_defined_twice_is_two_values():
    text = "a: &x php\nb: *x\nc: &x ruby\nd: *x\n"
    changes = {("c",): "ruby:1", ("d",): "ruby:1"}
    assert rewrite(text, changes) == "a: &x php\nb: *x\nc: &x ruby:1\nd: *x\n"


def test_merge_keys_are_followed_and_own_keys_win():
    text = "base: &base {image: php, name: a}\nweb:\n  <<: *base\n  name: b\n"
    (document,) = yaml_text.documents(text)
    assert document.value["web"] == {"image": "php", "name": "b"}
    assert document.edits({("web", "image"): DIGEST}) == ([], [("web", "image")])
    assert rewrite(text, {("web", "name"): "c"}) == text.replace("name: b", "name: c")


def test_aliases_that_multiply_are_read_once():
    lines = ["a0: &a0 [php]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    (document,) = yaml_text.documents("\n".join(lines))
    assert document.edits({("a0", 0): DIGEST}) == ([], [("a0", 0)])


def test_merges_that_multiply_are_read_once():
    lines = ["a0: &a0 {image: php}"] + [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60)]
    assert yaml_text.documents("\n".join(lines))[0].value["a59"] == {"image": "php"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 12:30:45", "12:30:45"),
        ("a: 2001-01-01", "2001-01-01"),
        ("a: !custom x", "x"),
        ("a: yes", True),
        ("a: ~", None),
        ("a: 0x10", 16),
        ("a: 010", 8),
        ("a: 1.5", 1.5),
        ("a: !!str 1", "1"),
    ],
)
def test_scalars_read_as_kubectl_reads_them(text, expected):
    assert yaml_text.documents(text)[0].value == {"a": expected}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        pytest.param("a: b: c", 1, 5, id="a mapping in a plain value"),
        pytest.param("a:\n\tb: 1", 2, 1, id="a tab as indentation"),
        pytest.param("é: \x07", 1, 4, id="a control character"),
        pytest.param("a: *nobody", 1, 4, id="an alias without its anchor"),
        pytest.param("a: 1\nb: &x [*x]", 2, 4, id="an anchor that contains itself"),
        pytest.param("[" * 100_000, 1, 251, id="brackets without end"),
        pytest.param("a: {{ .Values.image }}\nb: 1\n  c: 2", 3, 4, id="a template"),
    ],
)
def test_malformed_text_is_refused_with_its_place(text, line, column):
    with pytest.raises(yaml_text.MalformedYaml) as caught:
        yaml_text.documents(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_path_that_is_not_there_is_a_key_error():
    (document,) = yaml_text.documents("a: {b: c}")
    for path in [("x",), ("a",), ("a", "b", 0)]:
        with pytest.raises(KeyError):
            document.edits({path: "y"})
