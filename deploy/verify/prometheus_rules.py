#!/usr/bin/env python3
"""Prints the rules of deploy/prometheus/rules as one object of the Prometheus operator.

target/python-deploy/bin/python deploy/verify/prometheus_rules.py > deploy/k8s/components/monitoring/rules.yaml
"""

import sys
from pathlib import Path

import yaml

RULES = Path(__file__).parent.parent / "prometheus" / "rules"

HEADER = """\
# Made by deploy/verify/prometheus_rules.py from deploy/prometheus/rules: change those and make it again. `make verify-deploy`
# compares.
"""


def main() -> None:
    files = sorted(RULES.glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "clinflow", "namespace": "clinflow"},
        "spec": {"groups": groups},
    }
    sys.stdout.write(HEADER + yaml.safe_dump(rule, sort_keys=False, width=120))


if __name__ == "__main__":
    main()
