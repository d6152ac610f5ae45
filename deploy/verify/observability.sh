#!/usr/bin/env bash
# Checks metrics, rules, dashboards and runbook against each other. Needs promtool and prometheus (tests/servers.sh
# installs them), python3 with venv, and cargo. Ends with 1 at the first thing that is wrong.
#
#   observability.sh            everything
#   observability.sh --static   without the check that starts the services, RabbitMQ and a Prometheus
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in promtool prometheus; do
  command -v "$tool" >/dev/null || { echo "no $tool: run tests/servers.sh" >&2; exit 1; }
done

echo "observability: configuration, rules and their tests"
promtool check config --lint=all --lint-fatal deploy/prometheus/prometheus.yml
promtool check rules --lint=all --lint-fatal deploy/prometheus/rules/*.yml
promtool test rules deploy/prometheus/tests/*.yml

echo "observability: dashboards are what render.py makes"
venv=target/python-deploy
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if ! "$venv/bin/python" -c 'import grafana_foundation_sdk' 2>/dev/null; then
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement deploy/grafana/requirements.txt
fi
"$venv/bin/python" deploy/grafana/render.py --check

echo "observability: the catalogue is what the programs export"
cargo test --quiet --package clinflow-runtime --test catalogue

echo "observability: dashboards, rules and runbook name what exists"
cargo build --quiet --workspace --bins
if [ "${1:-}" = --static ]; then
  cargo test --quiet --package clinflow-integration --test it dashboards -- --skip dashboards::live
else
  cargo test --quiet --package clinflow-integration --test it dashboards
fi
