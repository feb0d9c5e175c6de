#!/usr/bin/env bash
# The whole tour: a registry, a server, a stream, and kubectl turning `image: php:latest` into a digest. Everything
# runs on free ports in a temporary folder and is gone afterwards; the script fails when an answer is wrong.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

fail() { printf '\n%s\n' "$*" >&2; exit 1; }
# The checkout's own command and Python, also when the tour is not started by make.
[ -x "$here/../.venv/bin/imagestreams" ] && PATH=$(cd "$here/../.venv/bin" && pwd):$PATH
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
bold='' plain=''
[ -t 1 ] && bold=$'\033[1m' plain=$'\033[0m'
title() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
play() { printf '\n$ %s\n' "$*"; eval "$*"; }

if ! command -v kubectl >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "kubectl is missing: installing Debian's kubernetes-client with apt-get"
    { apt-get update -qq || true; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends kubernetes-client; } >/dev/null 2>&1 || true
  fi
  command -v kubectl >/dev/null || fail "kubectl is not installed: install it (Debian: apt-get install kubernetes-client) and try again"
fi

work=$(mktemp -d)
children=()
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

registry=127.0.0.1:$(free_port)
"$here/registry.sh" "${registry##*:}" > "$work/registry.log" 2>&1 &
children+=($!)
listen=127.0.0.1:$(free_port)
imagestreams serve --data "$work/data" --listen "$listen" > "$work/server.log" 2>&1 &
children+=($!)

ready() { # what, log, command...
  local what=$1 log=$2; shift 2
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  tail -n 20 "$log" >&2
  fail "$what did not become ready within 30 seconds"
}
ready "the registry" "$work/registry.log" grep -q "is ready" "$work/registry.log"
export KUBECONFIG=$work/data/admin.kubeconfig HOME=$work
ready "the server" "$work/server.log" kubectl get --raw /readyz

cd "$here/manifests"
printf 'The registry is %s, the server https://%s.\n' "$registry" "$listen"

title "A stream is a name for images. It starts empty."
play "cat stream.yaml"
play "kubectl -n demo create -f stream.yaml"

title "Import two tags from the registry: the server fetches manifests and remembers digests."
play "sed s,REGISTRY,$registry, import.yaml | kubectl -n demo create -f -"
play "kubectl -n demo create -f latest.yaml"
play "kubectl -n demo get imagestreams,imagestreamtags"

image='{range .spec.containers[*]}{.image}{"\n"}{end}'
template='{range .spec.template.spec.initContainers[*]}{.image}{"\n"}{end}{range .spec.template.spec.containers[*]}{.image}{"\n"}{end}'
cron='{.spec.jobTemplate.spec.template.spec.containers[0].image}{"\n"}'
build='{.spec.strategy.sourceStrategy.from.name}{"\n"}'
dry_run() { # file, jsonpath; leaves what was printed in $answer
  printf '\n$ kubectl -n demo create -f %s --dry-run=server -o yaml   # its images:\n' "$1"
  answer=$(kubectl -n demo create -f "$1" --dry-run=server -o "jsonpath=$2")
  printf '%s\n' "$answer"
}
expect() { # what, wanted: compares with $answer
  [ "$2" = "$answer" ] || fail "$(printf '%s: wanted\n%s\nfound\n%s' "$1" "$2" "$answer")"
}
# The bytes of the images are fixed: their digests are computed here, not read from the server.
php() { printf '%s/library/php@%s' "$registry" "$(python3 "$here/registry_images.py" digest "php:$1")"; }
lines() { printf '%s\n' "$@"; }

title "Without lookup a Pod's images are what its author wrote."
dry_run pod.yaml "$image"
expect "a Pod before lookup" "$(lines php:latest nginx:1.27)"

title "Switch on lookup: short names in this namespace now mean the stream."
play "kubectl -n demo patch imagestream php --type merge -p '{\"spec\":{\"lookupPolicy\":{\"local\":true}}}'"

title "Pod, Deployment, CronJob and Build get digests. nginx, which no stream knows, stays as it was."
dry_run pod.yaml "$image"
expect "the Pod" "$(lines "$(php 8.1)" nginx:1.27)"
dry_run deployment.yaml "$template"
expect "the Deployment" "$(lines "$(php 8.1)" "$(php 8.1)")"
dry_run cronjob.yaml "$cron"
expect "the CronJob" "$(php 8.2)"
dry_run build.yaml "$build"
expect "the Build" "$(php 8.1)"

title "Tag another version as latest, and see new Pods move."
play "kubectl -n demo patch imagestreamtag php:latest --type merge -p '{\"tag\":{\"from\":{\"kind\":\"ImageStreamTag\",\"name\":\"php:8.2\"}}}'"
dry_run pod.yaml "$image"
expect "the Pod after the move" "$(lines "$(php 8.2)" nginx:1.27)"
dry_run build.yaml "$build"
expect "the Build after the move" "$(php 8.2)"
play "kubectl -n demo describe imagestream php | sed -n '1,12p'"

title "Every answer was right."
