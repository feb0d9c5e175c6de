"""`imagestreams resolve` as a KRM function: what an orchestrator sends, and what it gets back."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.unit.cli.examples import PHP, a_list, put, stream

LIST = """\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
    namespace: demo
    annotations:
      config.kubernetes.io/index: '1'
      internal.config.kubernetes.io/path: 'web/deploy.yaml'
  spec:
    template:
      spec:
        containers:
        - name: web # the web
          image: php:8.2   # short
        - name: side
          image: nginx:1.27
"""
CONFIG = """\
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  metadata:
    name: config
  data:
    streams: streams.yaml
"""
NGINX = {
    "message": "There is no image stream demo/nginx.",
    "severity": "info",
    "resourceRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "namespace": "demo"},
    "tags": {"reason": "NoSuchStream"},
    "field": {"path": "spec.template.spec.containers[1].image", "currentValue": "nginx:1.27"},
    "file": {"path": "web/deploy.yaml", "index": 1},
}


def plain(result):
    """The result with the rule of its message only: the advice behind it is admission's."""
    return {**result, "message": result["message"][: len(NGINX["message"])]}


def test_items_are_resolved_and_results_say_what_stayed(run):
    outcome = run(stdin=(LIST + CONFIG).encode())
    assert (outcome.code, outcome.err) == (0, "")
    before, _, after = outcome.out.decode().partition("results:\n")
    assert before == (LIST + CONFIG).replace("php:8.2", PHP)
    assert [plain(one) for one in yaml.safe_load("results:\n" + after)["results"]] == [NGINX]


def test_a_list_without_anything_unresolved_has_no_results(run):
    text = LIST.replace("nginx:1.27", "quay.io/a/nginx:1.27") + CONFIG
    assert run(stdin=text.encode()).out.decode() == text.replace("php:8.2", PHP)


def test_options_of_the_command_line_serve_a_function_too(run):
    assert PHP in run("-s", "streams.yaml", stdin=LIST.encode()).out.decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LIST, id="a block"),
        pytest.param(LIST + "# the end\n", id="a comment at the end"),
        pytest.param(LIST.rstrip("\n"), id="no line feed at the end"),
        pytest.param(f"---\n{LIST}...\n", id="document markers"),
        pytest.param(LIST.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(json.dumps(yaml.safe_load(LIST)), id="JSON"),
        pytest.param(json.dumps(yaml.safe_load(LIST), indent="\t") + "\n", id="JSON with tabs"),
        pytest.param("{" + json.dumps(yaml.safe_load(LIST))[1:-1] + ",\n}\n", id="a flow mapping with a last comma"),
        pytest.param(LIST + "results: []\n", id="empty results"),
        pytest.param(LIST + "results:\n- message: earlier\n", id="results of an earlier function"),
        pytest.param("results:\n- message: earlier\n" + LIST, id="results in front"),
    ],
)
def test_results_are_added_to_a_list_of_any_shape(run, text):
    answer = run("-s", "streams.yaml", stdin=text.encode()).out.decode()
    # PyYAML knows no tabs, as which JSON may be indented.
    before, after = (yaml.safe_load(one.replace("\t", " ")) for one in (text, answer))
    earlier = before.pop("results", [])
    results = after.pop("results")
    assert [*results[:-1], plain(results[-1])] == [*earlier, NGINX]
    assert after == json.loads(json.dumps(before).replace("php:8.2", PHP))


def test_a_requirement_makes_errors_of_the_results_and_fails(run):
    text = LIST + CONFIG + "    require: 'true'\n"
    outcome = run(stdin=text.encode())
    assert outcome.code == 1
    assert [one["severity"] for one in yaml.safe_load(outcome.out)["results"]] == ["error"]
    assert "1 image stayed unresolved" in outcome.err


def test_a_missing_tag_is_a_warning(run):
    outcome = run("-s", "streams.yaml", stdin=LIST.replace("php:8.2", "php:9").encode())
    assert [one["severity"] for one in yaml.safe_load(outcome.out)["results"]] == ["warning", "info"]


def test_the_config_may_be_of_any_kind_and_name_a_lock(folder, run):
    config = (
        "functionConfig:\n  apiVersion: x/v1\n  kind: ResolveImages\n  spec: {streams: [s.yaml], lock: images.lock}\n"
    )
    put(folder, "s.yaml", yaml.safe_dump(a_list(stream())))
    first = run(stdin=(LIST + config).encode())
    (folder / "s.yaml").unlink()
    assert (first.code, (folder / "images.lock").exists()) == (0, True)
    assert run(stdin=(LIST + config).encode()).out == first.out


def test_a_second_pass_changes_no_image(run):
    once = run(stdin=(LIST + CONFIG).encode()).out
    assert yaml.safe_load(run(stdin=once).out)["items"] == yaml.safe_load(once)["items"]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        pytest.param("stream: a", "functionConfig: there is no setting stream; there are ", id="an unknown setting"),
        pytest.param("require: perhaps", "functionConfig: require must be true or false", id="a doubtful flag"),
        pytest.param("lock: 3", "functionConfig: lock must be a text, not 3", id="a number for a file"),
        pytest.param("streams: [1]", "functionConfig: streams must be a list of files", id="a list of numbers"),
    ],
)
def test_a_wrong_setting_is_one_sentence(run, setting, says):
    outcome = run(stdin=(LIST + f"functionConfig: {{kind: X, spec: {{{setting}}}}}\n").encode())
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, b"", 1)
    assert says in outcome.err


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("config", 'functionConfig must be a mapping, not "config"'),
        ("{kind: ConfigMap, data: [a]}", 'functionConfig: data must be a mapping, not ["a"]'),
        ("{kind: X, spec: 3}", "functionConfig: spec must be a mapping, not 3"),
    ],
)
def test_a_config_of_an_odd_shape_is_one_sentence(run, config, says):
    outcome = run(stdin=(LIST + f"functionConfig: {config}\n").encode())
    assert (outcome.code, outcome.out, outcome.err) == (1, b"", f"imagestreams: {says}\n")


@pytest.mark.parametrize("config", ["", "functionConfig: null\n", "functionConfig: {kind: X}\n"])
def test_a_list_need_not_have_a_config(run, config):
    assert run("-s", "streams.yaml", stdin=(LIST + config).encode()).code == 0


@pytest.mark.parametrize("text", ["", "kind: Pod\napiVersion: v1\n", "kind: ResourceList\napiVersion: v1\n", "- a\n"])
def test_without_a_resource_list_manifests_must_be_named(run, text):
    outcome = run(stdin=text.encode())
    assert (outcome.code, "Missing option '-f'" in outcome.err) == (2, True)
