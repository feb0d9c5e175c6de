#!/usr/bin/env bash
# Runs a docker-registry on 127.0.0.1 with small images in it, until it is stopped (Ctrl-C, SIGTERM). Nothing is kept.
# usage: registry.sh [PORT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:-5000}

if ! command -v docker-registry >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "docker-registry is missing: installing it with apt-get" >&2
    { apt-get update -qq || true; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker-registry; } >/dev/null 2>&1 || true
  fi
  command -v docker-registry >/dev/null || {
    echo "docker-registry is not installed: install it (Debian: apt-get install docker-registry) and try again" >&2
    exit 1
  }
fi

work=$(mktemp -d)
cat > "$work/config.yml" <<Y
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {inmemory: {}}
http: {addr: "127.0.0.1:$port"}
Y
docker-registry serve "$work/config.yml" > "$work/log" 2>&1 &
registry=$!
trap 'kill "$registry" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 0' INT TERM

for _ in $(seq 100); do
  if ! kill -0 "$registry" 2>/dev/null; then
    echo "docker-registry stopped at once (is port $port taken?):" >&2
    tail -n 3 "$work/log" >&2
    exit 1
  fi
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.1
done
python3 "$here/registry_images.py" push "http://127.0.0.1:$port"
echo "a registry with php:8.1 and php:8.2 is ready: 127.0.0.1:$port"
wait "$registry"
