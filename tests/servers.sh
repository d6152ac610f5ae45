#!/usr/bin/env bash
# Installs what the integration tests need and this machine lacks: RabbitMQ, Redis, Prometheus, pika for the publisher's
# guide, and the validators of FHIR, Dataset-JSON and CloudFormation. Starts nothing and touches no running instance: the tests start private ones on free ports.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
command -v setpriv >/dev/null || missing+=(util-linux)

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { echo "install by hand: ${missing[*]}" >&2; exit 1; }
  as_root=(); [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  # A package must not start a server on a standard port: refuse it where there is no policy yet.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

venv=target/python
if ! "$venv/bin/python" -c 'import pika, jsonschema, fhir.resources' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check pika==1.3.2 -r tests/outputs/requirements.txt
fi
