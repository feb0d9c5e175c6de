"""`imagestreams resolve`: what it prints, what it leaves, and how it fails."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import yaml

from bench import resolve as bench
from tests.unit.cli.examples import DIGEST, PHP, REGISTRY, a_list, pod, put, stream

TEMPLATE = "template: {spec: {initContainers: [{name: i, image: 'php:8.2'}], containers: [{name: c, image: php:8.2}]}}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{{TEMPLATE}}}\n", id="Deployment"
        ),
        pytest.param(f"apiVersion: batch/v1\nkind: Job\nspec:\n  {TEMPLATE} # job\n", id="Job"),
        pytest.param(f"apiVersion: v1\nkind: ReplicationController\nspec: {{{TEMPLATE}}}", id="ReplicationController"),
        pytest.param(
            f"apiVersion: batch/v1\nkind: CronJob\nspec: {{jobTemplate: {{spec: {{{TEMPLATE}}}}}}}\n", id="CronJob"
        ),
        pytest.param(
            "apiVersion: build.openshift.io/v1\nkind: Build\nspec:\n  strategy:\n    sourceStrategy:\n"
            "      from: {kind: DockerImage, name: 'php:8.2'}\n",
            id="Build",
        ),
        pytest.param("# one\r\n" + pod("php:8.2").replace("\n", "\r\n"), id="CRLF line endings"),
        pytest.param(f"---\n{pod('php:8.2')}---\n# nothing\n---\n{pod('php:8.2')}...\n", id="several documents"),
        pytest.param(json.dumps(yaml.safe_load(pod("php:8.2")), indent="\t"), id="JSON with tabs"),
        pytest.param(json.dumps(a_list(yaml.safe_load(pod("php:8.2")))), id="a List in JSON"),
        pytest.param(
            "kind: PodList\napiVersion: v1\nitems:\n- spec: {containers: [{name: a, image: php:8.2}]}\n",
            id="a typed list, whose items do not repeat the kind",
        ),
        pytest.param(
            "apiVersion: v1\nkind: Pod\nspec: {initContainers: [{name: a, image: &x php:8.2}],"
            " containers: [{name: b, image: *x}]}\n",
            id="an alias that is an image too",
        ),
    ],
)
def test_images_are_resolved_and_nothing_else_changes(resolved, text):
    assert resolved(text) == text.replace("php:8.2", PHP)


def test_a_folder_of_all_styles_is_byte_identical_outside_the_image_values(folder, run):
    for number in range(100):
        put(folder, f"k8s/{number:03}.yaml", bench.manifest(number, bench.short))
    put(folder, "streams.yaml", bench.streams())
    outcome = run("-f", "k8s", "-s", "streams.yaml")
    wanted = bench.joined([bench.manifest(number, bench.resolved) for number in range(100)])
    assert (outcome.code, outcome.out.decode()) == (0, wanted)


def test_a_block_scalar_becomes_a_quoted_one(resolved):
    assert resolved(pod(">-\n      php:8.2")) == pod(f'"{PHP}"')


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(pod("nginx"), id="no such stream"),
        pytest.param(pod("php:9"), id="no such tag"),
        pytest.param(pod("quay.io/a/php:8.2"), id="a name with a registry"),
        pytest.param(pod(f"php@{DIGEST}"), id="a digest"),
        pytest.param(pod("php:8.2", "other"), id="another namespace"),
        pytest.param("kind: ConfigMap\napiVersion: v1\ndata: {image: php:8.2}\n", id="a kind without images"),
        pytest.param("apiVersion: example.com/v1\nkind: Deployment\nspec: {" + TEMPLATE + "}\n", id="another group"),
        pytest.param("- image: php:8.2\n", id="no object"),
        pytest.param("", id="nothing"),
        pytest.param("# a comment\n", id="a comment"),
        pytest.param("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}]}\n", id="a container without an image"),
    ],
)
def test_what_is_not_to_be_resolved_is_printed_as_it_was(resolved, text):
    assert resolved(text) == text


def test_the_annotation_opts_in_where_the_stream_does_not(folder, run):
    put(folder, "streams.yaml", yaml.safe_dump(a_list(stream(local=False))))
    text = pod("quay.io/x/php:8.2").replace(
        "name: p", 'name: p, annotations: {alpha.image.policy.openshift.io/resolve-names: "*"}'
    )
    put(folder, "pod.yaml", text)
    assert run("-f", "pod.yaml", "-s", "streams.yaml").out.decode() == text.replace("quay.io/x/php:8.2", PHP)


def test_a_build_from_a_missing_tag_becomes_a_docker_image_without_a_namespace(folder, run):
    put(folder, "streams.yaml", yaml.safe_dump(a_list(stream(repository=f"{REGISTRY}/demo/php"))))
    text = (
        "apiVersion: build.openshift.io/v1\nkind: Build\nspec:\n  strategy:\n    sourceStrategy:\n      from:\n"
        "        kind: ImageStreamTag # was a tag\n        namespace: demo\n        name: php:9\n"
    )
    put(folder, "build.yaml", text)
    outcome = run("-f", "build.yaml", "-s", "streams.yaml", "--integrated-registry", REGISTRY)
    origin = yaml.safe_load(outcome.out)["spec"]["strategy"]["sourceStrategy"]["from"]
    assert origin == {"kind": "DockerImage", "namespace": "", "name": f"{REGISTRY}/demo/php:9"}
    assert b"DockerImage # was a tag\n" in outcome.out


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param(yaml.safe_dump(a_list(stream())), id="a List"),
        pytest.param(json.dumps(a_list(stream())), id="a List in JSON"),
        pytest.param(yaml.safe_dump({**a_list(stream()), "kind": "ImageStreamList"}), id="an ImageStreamList"),
        pytest.param(yaml.safe_dump_all([{"kind": "Secret"}, stream("ruby"), stream()]), id="several documents"),
        pytest.param(yaml.safe_dump(stream(namespace="")), id="a stream without a namespace"),
        pytest.param(yaml.safe_dump(stream()).encode("utf-16"), id="UTF-16, as PowerShell writes"),
    ],
)
def test_streams_are_read_as_kubectl_and_people_write_them(folder, run, streams):
    put(folder, "s.yaml", streams)
    put(folder, "pod.yaml", pod("php:8.2"))
    assert run("-f", "pod.yaml", "-s", "s.yaml").out.decode() == pod(PHP)


@pytest.mark.parametrize(
    ("own", "option", "expected"),
    [
        pytest.param("", [], "php:8.2", id="streams of two namespaces: default is meant"),
        pytest.param("", ["-n", "demo"], PHP, id="-n says where it goes"),
        pytest.param("demo", ["-n", "other"], PHP, id="what the object says wins"),
    ],
)
def test_the_namespace_is_the_objects_own_then_the_options(folder, run, own, option, expected):
    put(folder, "s.yaml", yaml.safe_dump(a_list(stream(), stream("ruby", "other"))))
    put(folder, "pod.yaml", pod("php:8.2", own))
    assert run("-f", "pod.yaml", "-s", "s.yaml", *option).out.decode() == pod(expected, own)


def test_standard_input_is_read_for_a_dash(run):
    outcome = run("-f", "-", "-s", "streams.yaml", stdin=pod("php:8.2").encode())
    assert outcome.out.decode() == pod(PHP)


def test_utf16_stays_utf16(run):
    text = "\ufeff" + pod("php:8.2")
    outcome = run("-f", "-", "-s", "streams.yaml", stdin=text.encode("utf-16-le"))
    assert outcome.out.decode("utf-16-le") == "\ufeff" + pod(PHP)


def test_several_files_become_one_stream_of_documents(folder, run):
    put(folder, "k8s/a.yaml", pod("php:8.2").rstrip("\n"))
    put(folder, "k8s/b.yml", f"# second\n---\n{pod('php:8.2')}")
    put(folder, "k8s/c.json", json.dumps(yaml.safe_load(pod("php:8.2"))))
    put(folder, "k8s/d.yaml", "")
    put(folder, "k8s/e.yaml", f"%YAML 1.1\n---\n{pod('php:8.2')}")
    put(folder, "k8s/notes.txt", "no: [yaml")
    put(folder, "k8s/deep/f.yaml", pod("php:8.2"))
    flat, deep = run("-f", "k8s", "-s", "streams.yaml"), run("-f", "k8s", "-R", "-s", "streams.yaml")
    assert list(yaml.safe_load_all(flat.out)) == [yaml.safe_load(pod(PHP))] * 4
    assert len(list(yaml.safe_load_all(deep.out))) == 5
    assert b"\n# second\n---\n" in flat.out


def test_an_alias_whose_uses_differ_is_left_and_reported(folder, run):
    text = pod("&x php:8.2") + "    env: [{name: IMAGE, value: *x}]\n"
    put(folder, "pod.yaml", text)
    outcome = run("-f", "pod.yaml", "-s", "streams.yaml")
    assert (outcome.code, outcome.out.decode()) == (0, text)
    assert outcome.err.startswith("imagestreams: warning: pod.yaml: Pod/p spec.containers[0].image: php:8.2 is shared")
    assert run("-f", "pod.yaml", "-s", "streams.yaml", "--require").code == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: php}\n", id="containers as text"
        ),
        pytest.param("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: p}\n", id="no template"),
    ],
)
def test_an_object_of_an_odd_shape_is_left_and_reported(folder, run, text):
    put(folder, "odd.yaml", text)
    outcome = run("-f", "odd.yaml", "-s", "streams.yaml")
    assert (outcome.code, outcome.out.decode()) == (0, text)
    assert "The object is left as it is" in outcome.err


@pytest.mark.parametrize(
    "text", [pod("php:8.2"), pod("php:8.2").rstrip("\n"), "\ufeff" + pod("php:8.2"), pod("php:8.2\r")]
)
@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
def test_a_diff_is_what_patch_applies(folder, run, text):
    put(folder, "k8s/pod.yaml", text)
    difference = run("-f", "k8s/pod.yaml", "-s", "streams.yaml", "--diff").out
    whole = run("-f", "k8s/pod.yaml", "-s", "streams.yaml").out
    subprocess.run(["patch", "-p1", "--binary"], input=difference, cwd=folder, check=True, capture_output=True)
    assert (folder / "k8s/pod.yaml").read_bytes() == whole


def test_a_diff_of_nothing_is_empty(resolved):
    assert resolved(pod("nginx"), "--diff") == ""


def test_explain_says_for_each_image_what_was_decided_and_why(resolved):
    text = pod("php:8.2") + "  - {name: b, image: 'nginx:1'}\n  - {name: c, image: quay.io/a/b}\n"
    header, first, second, third = resolved(text, "--explain").splitlines()
    assert header.split() == ["FILE", "OBJECT", "PATH", "IMAGE", "RESULT", "REASON"]
    assert first.split()[:7] == ["deploy.yaml", "Pod/p", "spec.containers[0].image", "php:8.2", "→", PHP, "Resolved"]
    assert second.endswith("There is no image stream demo/nginx.")
    assert third.split()[3:7] == ["quay.io/a/b", "→", "unchanged", "NotShort"]
    assert (
        len({line.index(word) for line, word in [(header, "REASON"), (first, "Resolved"), (second, "NoSuchStream")]})
        == 1
    )


@pytest.mark.parametrize(
    ("image", "code"),
    [
        pytest.param("php:8.2", 0, id="resolved"),
        pytest.param("quay.io/a/b:1", 0, id="no short name"),
        pytest.param(f"php@{DIGEST}", 0, id="a digest"),
        pytest.param("nginx", 1, id="no such stream"),
        pytest.param("php:9", 1, id="no such tag"),
        pytest.param("my.app:1", 1, id="one word that no stream can be called"),
        pytest.param("'php:8.2:x'", 1, id="no image at all"),
    ],
)
def test_require_fails_when_a_name_stays_unresolved(folder, run, image, code):
    put(folder, "pod.yaml", pod(image))
    outcome = run("-f", "pod.yaml", "-s", "streams.yaml", "--require")
    assert outcome.code == code
    assert bool(outcome.out) is (code == 0), "nothing for a kubectl apply behind it to take"
    assert ("1 image stayed unresolved\n  pod.yaml: Pod/p spec.containers[0].image: " in outcome.err) is (code == 1)


def test_require_with_explain_still_explains(folder, run):
    put(folder, "pod.yaml", pod("nginx"))
    outcome = run("-f", "pod.yaml", "-s", "streams.yaml", "--require", "--explain")
    assert (outcome.code, b"NoSuchStream" in outcome.out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Missing option '-f'"),
        (["-f", "nothere.yaml"], 1, "nothere.yaml: there is no such file; give a file"),
        (["-f", "bad.yaml"], 1, "bad.yaml:2:7: "),
        (["-f", "template.yaml"], 1, "render templates first"),
        (["-f", "latin1.yaml"], 1, "latin1.yaml: byte 3 is no UTF-8 text; save the file as UTF-8"),
        (["-f", "empty"], 1, "empty: no file in it ends in .yaml, .yml, .json; --recursive"),
        (["-f", "pod.yaml", "-s", "nothere.yaml"], 1, "nothere.yaml: there is no such file"),
        (["-f", "pod.yaml", "-s", "pod.yaml"], 1, "pod.yaml: no ImageStream in it; write one with kubectl get"),
        (["-f", "pod.yaml", "-s", "odd-streams.yaml"], 1, "odd-streams.yaml: "),
        (["-f", "pod.yaml", "-s", "bad.yaml"], 1, "bad.yaml:2:7: "),
        (["-f", "pod.yaml"], 1, "give -s STREAMS.yaml"),
        (["-f", "pod.yaml", "--kubeconfig", "config", "--context", "moon"], 1, "no access to context moon: "),
        (["-f", "pod.yaml", "--kubeconfig", "bad.yaml"], 1, "no access to a cluster"),
        (["-f", "pod.yaml", "--kubeconfig", "pod.yaml"], 1, "no access to a cluster"),
        (
            ["-f", "pod.yaml", "--kubeconfig", "config"],
            1,
            "http://127.0.0.1:1: image streams of namespace shop could not",
        ),
        (["-f", "pod.yaml", "--server", "127.0.0.1:8443"], 2, "is no URL; write it like https://"),
        (["-f", "pod.yaml", "--server", "https://127.0.0.1:1"], 1, "Connection refused; see that it runs"),
        (["-f", "pod.yaml", "--server", "https://h", "--certificate-authority", "none"], 1, "--certificate-authority"),
        (["-f", "pod.yaml", "--server", "https://h", "-s", "streams.yaml"], 2, "give one of them"),
        (["-f", "pod.yaml", "--context", "a", "-s", "streams.yaml"], 2, "give one of them"),
        (["-f", "pod.yaml", "--token", "a", "-s", "streams.yaml"], 2, "--token goes with --server"),
        (["-f", "pod.yaml", "-s", "streams.yaml", "--diff", "--explain"], 2, "give one of them"),
        (["-f", "-", "-s", "-"], 2, "standard input (-) can be read once"),
    ],
)
def test_failures_are_one_sentence_with_a_way_out(folder, run, arguments, code, message):
    put(folder, "pod.yaml", pod("php:8.2"))
    put(folder, "bad.yaml", "a: 1\nbb:  c: d\n")
    put(folder, "template.yaml", "image: {{ .Values.image }}\nb: }\n")
    put(folder, "latin1.yaml", "a: é".encode("latin-1"))
    put(
        folder,
        "odd-streams.yaml",
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: x}\nspec: 3\n",
    )
    put(folder, "config", yaml.safe_dump(kubeconfig("http://127.0.0.1:1")))
    (folder / "empty").mkdir()
    outcome = run(*arguments)
    assert outcome.code == code
    assert message in outcome.err
    assert outcome.err.startswith("imagestreams: ")
    assert outcome.err.count("\n") == 1
    assert "this should not have happened" not in outcome.err
    assert outcome.out == b""


def kubeconfig(server, namespace="shop"):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
    }


PATH = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"


def answer(httpserver, namespace, *streams, **more):
    listed = {**a_list(*streams), "kind": "ImageStreamList", "metadata": {"resourceVersion": "7"}}
    httpserver.expect_request(PATH.format(namespace), **more).respond_with_json(listed)


def test_the_cluster_of_a_kubeconfig_is_asked_for_the_contexts_namespace(folder, run, httpserver):
    answer(httpserver, "shop", stream(namespace="shop"), headers={"Authorization": "Bearer secret"})
    put(folder, "config", yaml.safe_dump(kubeconfig(httpserver.url_for("").rstrip("/"))))
    put(folder, "pod.yaml", pod("php:8.2"))
    outcome = run("-f", "pod.yaml", "--kubeconfig", "config")
    assert (outcome.err, outcome.out.decode()) == ("", pod(PHP))


def test_each_namespace_of_a_server_is_listed_once_and_only_if_needed(folder, run, httpserver):
    answer(httpserver, "a", stream(namespace="a"))
    answer(httpserver, "b")
    put(
        folder,
        "pods.yaml",
        "---\n".join([pod("php:8.2", "a"), pod("php:8.2", "b"), pod("php:8.2", "a"), pod("q.io/a/b", "c")]),
    )
    outcome = run("-f", "pods.yaml", "--server", httpserver.url_for("").rstrip("/"), "--token", "t")
    assert [one["spec"]["containers"][0]["image"] for one in yaml.safe_load_all(outcome.out)] == [
        PHP,
        "php:8.2",
        PHP,
        "q.io/a/b",
    ]
    assert [request.path for request, _ in httpserver.log] == [PATH.format("a"), PATH.format("b")]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Unauthorized; use an account that may list imagestreams"),
        (403, "use an account that may list imagestreams"),
        (404, "it does not serve image.openshift.io"),
        (200, "the answer is not JSON"),
    ],
)
def test_a_server_that_refuses_is_one_sentence(folder, run, httpserver, status, message):
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "Unauthorized", "code": status}
    text = "<html>" if status == 200 else json.dumps(body)
    httpserver.expect_request(PATH.format("default")).respond_with_data(text, status=status)
    put(folder, "pod.yaml", pod("php:8.2"))
    outcome = run("-f", "pod.yaml", "--server", httpserver.url_for("").rstrip("/"))
    assert (outcome.code, outcome.err.count("\n"), outcome.out) == (1, 1, b"")
    assert message in outcome.err


def test_an_image_volume_is_resolved_as_the_server_does_it(resolved):
    text = "apiVersion: v1\nkind: Pod\nspec:\n  volumes: [{name: data, image: {reference: 'php:8.2'}}]\n"
    assert resolved(text) == text.replace("php:8.2", PHP)
