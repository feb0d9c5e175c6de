"""What `imagestreams resolve` costs beside loading and dumping the same manifests with the same YAML library.

`python -m bench.resolve [FILES]` writes a folder of manifests, runs both as commands of their own on it, compares their
CPU time, and checks that the answer is the folder's text but for the image values, byte for byte.
"""

from __future__ import annotations

import hashlib
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

STREAMS = 40
TAGS = ("8.1", "8.2", "latest")
# What the others are measured against: every file read, loaded and dumped by libyaml, no word changed.
FLOOR = """
import pathlib, sys, yaml
out = sys.stdout
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    yaml.dump_all(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader), out, Dumper=yaml.CSafeDumper)
"""

Image = Callable[[str, str], str]
"""(stream, tag) → what stands in the manifest: the short name, or the pull spec that takes its place."""


def digest(stream: str, tag: str) -> str:
    """The image of a tag."""
    return "sha256:" + hashlib.sha256(f"{stream}:{tag}".encode()).hexdigest()


def short(stream: str, tag: str) -> str:
    """As people write it."""
    return f"{stream}:{tag}"


def resolved(stream: str, tag: str) -> str:
    """As it runs."""
    return f"registry.example.com/apps/{stream}@{digest(stream, tag)}"


def streams() -> str:
    """What `kubectl get imagestreams -o yaml` would print of these."""
    items = []
    for number in range(STREAMS):
        name = f"app{number}"
        entries = [
            {"tag": tag, "items": [{"dockerImageReference": resolved(name, tag), "image": digest(name, tag)}]}
            for tag in TAGS
        ]
        items.append(
            {
                "apiVersion": "image.openshift.io/v1",
                "kind": "ImageStream",
                "metadata": {"name": name, "namespace": "shop"},
                "spec": {"lookupPolicy": {"local": True}},
                "status": {"tags": entries},
            }
        )
    return yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})


def manifest(number: int, image: Image) -> str:
    """One file, of a kind and style of its own; the same for the same number but for its images."""
    rng = random.Random(number)

    def one() -> str:
        return image(f"app{rng.randrange(STREAMS)}", rng.choice(TAGS))

    parts = [rng.choice((_deployment, _deployment, _stateful_set, _cron_job, _pod))(rng, f"app-{number}", one)]
    parts += [rng.choice((_service, _config_map, _secret))(f"app-{number}") for _ in range(rng.randrange(3))]
    rng.shuffle(parts)
    text = f"# Source: shop/templates/app-{number}.yaml\n" + "---\n".join(parts)
    if rng.random() < 0.1:
        text = text.rstrip("\n")
    return text.replace("\n", "\r\n") if rng.random() < 0.1 else text


def _deployment(rng: random.Random, name: str, image: Callable[[], str]) -> str:
    quote = rng.choice(("", '"', "'"))
    environment = "".join(
        f"        - name: SETTING_{number}\n          value: 'a value of some length: {number}'\n"
        for number in range(rng.randrange(12))
    )
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop   # as everything here
  labels: &labels
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: shop
    app.kubernetes.io/version: "{rng.randrange(9)}.{rng.randrange(9)}"
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{{"spec":{{"template":"{"x" * rng.randrange(2000)}"}}}}'
spec:
  replicas: {rng.randrange(1, 9)}
  selector:
    matchLabels: *labels
  template:
    metadata:
      labels: *labels
    spec:
      initContainers:
      - {{name: migrate, image: "{image()}", command: ["sh", "-c", "./migrate --all"]}}
      containers:
      - name: web
        image: {quote}{image()}{quote}  # follows the stream
        imagePullPolicy: IfNotPresent
        args:
        - --listen=:8080
        - |-
          --greeting=image: php:8.2
          is no image here
        env:
{environment or "        - {name: A, value: b}" + chr(10)}\
        ports:
        - containerPort: 8080
          name: http
        resources:
          limits: {{cpu: 500m, memory: 256Mi}}
          requests:
            cpu: 50m
            memory: 128Mi
        readinessProbe: &probe
          httpGet:
            path: /ready
            port: http
          periodSeconds: 5
        livenessProbe:
          <<: *probe
          failureThreshold: 10
      - name: proxy
        image: docker.io/library/envoy:1.31
        volumeMounts:
        - name: config
          mountPath: /etc/envoy
      volumes:
      - name: config
        configMap:
          name: {name}
"""


def _stateful_set(rng: random.Random, name: str, image: Callable[[], str]) -> str:
    return f"""\
# A database, which wants a name of its own.
kind: StatefulSet
apiVersion: apps/v1
metadata: {{name: {name}, namespace: shop}}
spec:
    serviceName: {name}
    selector: {{matchLabels: {{app: {name}}}}}
    template:
        metadata: {{labels: {{app: {name}}}}}
        spec:
            containers:
                -   name: db
                    image: {image()}

                    # sized by hand
                    resources: {{requests: {{memory: {rng.randrange(1, 9)}Gi}}}}
    volumeClaimTemplates:
        -   metadata: {{name: data}}
            spec:
                accessModes: [ReadWriteOnce]
                resources: {{requests: {{storage: {rng.randrange(1, 99)}Gi}}}}
"""


def _cron_job(rng: random.Random, name: str, image: Callable[[], str]) -> str:
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {name}
  namespace: shop
spec:
  schedule: "{rng.randrange(60)} {rng.randrange(24)} * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - command:
            - /bin/sh
            - -ec
            - >
              echo "a folded text";
              exec ./report --day=yesterday
            image: '{image()}'
            name: report
"""


def _pod(_rng: random.Random, name: str, image: Callable[[], str]) -> str:
    first = image()
    return f"""\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop}}
spec:
  containers:
  - {{name: a, image: &image {first}}}
  - {{name: b, image: *image}}
  - {{name: c, image: nginx:1.27}}
"""


def _service(name: str) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: shop
spec:
  ports:
  - {{port: 80, targetPort: http}}
  selector:
    app.kubernetes.io/name: {name}
"""


def _config_map(name: str) -> str:
    lines = "".join(f"    - match: {{prefix: /v{number}}}\n      image: app{number}:8.2\n" for number in range(30))
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: shop}}
data:
  routes.yaml: |
{lines}
  # a comment between values
  umlauts: "Grüße, Ωmega"
"""


def _secret(name: str) -> str:
    return f"""\
apiVersion: v1
kind: Secret
metadata: {{name: {name}, namespace: shop}}
type: Opaque
data:
  key: {"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=" * 40}
"""


def joined(texts: list[str]) -> str:
    """The files as one stream of documents, as the command prints several files."""
    whole: list[str] = []
    for text in texts:
        if whole:
            newline = "\r\n" if whole[-1].endswith("\r\n") else "\n"
            whole.append(("" if whole[-1].endswith("\n") else newline) + "---" + newline)
        whole.append(text)
    return "".join(whole)


def cpu_seconds(command: list[str], output: Path) -> tuple[float, float]:
    """CPU and wall-clock seconds of a command with its output in a file."""
    before, begun = os.times(), time.perf_counter()
    with output.open("wb") as file:
        subprocess.run(command, stdout=file, check=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return spent, time.perf_counter() - begun


def main(files: int) -> None:
    """Measure, print a table, and fail if a byte outside the image values differs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "k8s").mkdir()
        size = 0
        for number in range(files):
            text = manifest(number, short).encode()
            size += len(text)
            (folder / "k8s" / f"{number:05}.yaml").write_bytes(text)
        (folder / "streams.yaml").write_text(streams())
        print(f"Python {platform.python_version()}, libyaml, {files} files of {size / 1e6:.1f} MB\n")
        print(f"{'':28}{'CPU s':>9}{'wall s':>9}{'ms a file':>11}{'× floor':>9}")
        command = [sys.executable, "-m", "webhook", "resolve", "-f", str(folder / "k8s")]
        command += ["-s", str(folder / "streams.yaml")]
        floor = _measured("floor: load and dump", [sys.executable, "-c", FLOOR, str(folder / "k8s")], folder, files, 0)
        _measured("imagestreams resolve", command, folder, files, floor)
        wanted = joined([manifest(number, resolved) for number in range(files)]).encode()
        if (folder / "out").read_bytes() != wanted:
            sys.exit("the answer differs outside the image values")
        print("\nevery byte outside the image values is as it was")


def _measured(title: str, command: list[str], folder: Path, files: int, floor: float) -> float:
    spent, passed = cpu_seconds(command, folder / "out")
    print(f"{title:28}{spent:>9.2f}{passed:>9.2f}{spent / files * 1e3:>11.2f}{spent / (floor or spent):>9.2f}")
    return spent


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
