#!/usr/bin/env python3
"""Checks a rendered overlay: that what belongs together is there and fits, and what may never be is not.

manifests.py <overlay's name> <rendered.yaml> <definitions.json of `clinflow topology show`>
"""

import ipaddress
import json
import sys
from pathlib import Path

import cloudformation
import jsonschema
import topology
import yaml
from findings import Findings
from rendered import Rendered, container, pod, selects

# Made by hand or by a secrets operator before the first apply: docs/guide/kubernetes.md.
BY_HAND = {"clinflow-redis"}
# What the operators' port serves, by probe.
PROBES = {"startupProbe": "/live", "readinessProbe": "/ready", "livenessProbe": "/live"}
BUILT_IN = {"v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1"}
PLACEHOLDERS = ("unset", ":iam::ACCOUNT:", "192.0.2.")


def custom_resources(found: Findings, overlay: Rendered) -> None:
    """Objects that Kubernetes' own schemas do not know have one here."""
    schemas = yaml.safe_load((Path(__file__).parent / "custom-resources.yaml").read_text())
    for one in overlay.objects:
        if one["apiVersion"] in BUILT_IN:
            continue
        key, name = f"{one['apiVersion']}/{one['kind']}", one["metadata"]["name"]
        if not found.expect(key in schemas, f"{key} `{name}`: no schema in deploy/verify/custom-resources.yaml"):
            continue
        for error in jsonschema.Draft202012Validator(schemas[key]).iter_errors(one.get("spec", {})):
            found.expect(False, f"{key} `{name}`: spec{error.json_path[1:]}: {error.message}")
        found.checked += 1


def topology_objects(found: Findings, overlay: Rendered, definitions: dict) -> None:
    """The broker's objects are those of the program's table."""
    keep = lambda one: (one["kind"], one["metadata"]["name"], json.dumps(one["spec"], sort_keys=True))  # noqa: E731
    wanted = {keep(one) for one in topology.objects(definitions)}
    kinds = {kind for kind, _, _ in wanted}
    there = {keep(one) for one in overlay.objects if one["kind"] in kinds}
    for kind, name, _ in sorted(wanted - there):
        found.expect(False, f"{kind} `{name}` is missing or not as `clinflow topology show` says: make topology.yaml again")
    for kind, name, _ in sorted(there - wanted):
        found.expect(False, f"{kind} `{name}` is not in `clinflow topology show`: make topology.yaml again")
    found.checked += len(wanted)


def companions(found: Findings, overlay: Rendered, roles: set[str]) -> None:
    """Each service has all that a service has."""
    found.expect(set(overlay.services()) == roles, f"services are {sorted(overlay.services())}, roles are {sorted(roles)}")
    names = cloudformation.load("access.yaml")["Resources"].values()
    iam_roles = {cloudformation.text(one["Properties"]["RoleName"]) for one in names if one["Type"] == "AWS::IAM::Role"}
    for account in overlay.all("ServiceAccount"):
        name = account["metadata"]["name"]
        arn = account["metadata"].get("annotations", {}).get("eks.amazonaws.com/role-arn", "")
        role = arn.rpartition(":role/")[2]
        found.expect(role == name and role in iam_roles, f"ServiceAccount `{name}`: role `{arn}` is not in deploy/aws/access.yaml")
        found.expect(account.get("automountServiceAccountToken") is False, f"ServiceAccount `{name}` mounts its token")
    for service, deployment in overlay.services().items():
        name, template = deployment["metadata"]["name"], pod(deployment)
        labels = template["metadata"]["labels"]
        selector = deployment["spec"]["selector"]
        found.expect(selector.get("matchLabels") and selects(selector, labels), f"{name}: its selector does not select its pods")
        chosen = [one for one in overlay.services().values() if selects(selector, pod(one)["metadata"]["labels"])]
        found.expect(len(chosen) == 1, f"{name}: its selector selects pods of {len(chosen)} services")
        account = template["spec"].get("serviceAccountName", "default")
        found.expect(account == name and overlay.get("ServiceAccount", account), f"{name}: no ServiceAccount of its own")
        for kind, key in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
            one = overlay.get(kind, name)
            fits = one and one["spec"][key].get("matchLabels") and selects(one["spec"][key], labels)
            found.expect(fits, f"{name}: no {kind} of its own that selects its pods")
        scaled = overlay.get("ScaledObject", name)
        found.expect(scaled and scaled["spec"]["scaleTargetRef"]["name"] == name, f"{name}: no ScaledObject scales it")
        found.expect("replicas" not in deployment["spec"], f"{name}: `replicas` fights with its ScaledObject")
        keys = {one["topologyKey"] for one in template["spec"].get("topologySpreadConstraints", [])
                if one["labelSelector"].get("matchLabels") and selects(one["labelSelector"], labels)}
        wanted = {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        found.expect(keys == wanted, f"{name}: not spread over zones and nodes")
        port = next((one["containerPort"] for one in container(deployment)["ports"] if one["name"] == "operators"), None)
        for probe, path in PROBES.items():
            get = container(deployment).get(probe, {}).get("httpGet", {})
            found.expect(get == {"path": path, "port": "operators"}, f"{name}: {probe} must get {path} of port `operators`")
        policy = overlay.get("NetworkPolicy", name)
        opened = {entry["port"] for rule in (policy or {"spec": {}})["spec"].get("ingress", []) for entry in rule.get("ports", [])}
        ports = {one["containerPort"] for one in container(deployment)["ports"]}
        found.expect(opened == ports, f"{name}: its NetworkPolicy opens {sorted(opened)}, it listens on {sorted(ports)}")
        found.expect(port == 9464, f"{name}: the operators' port is {port}")


def scaling(found: Findings, overlay: Rendered, definitions: dict) -> None:
    """Each service scales on its queues, which are in the topology; who consumes nothing, on CPU."""
    queues = {one["name"] for one in definitions["queues"]}
    for one in overlay.all("ScaledObject"):
        name = one["metadata"]["name"]
        mine = {queue for queue in queues if queue.startswith(name.replace("-", ".", 1) + ".")}
        asked = [trigger["metadata"]["queueName"] for trigger in one["spec"]["triggers"] if trigger["type"] == "rabbitmq"]
        for queue in asked:
            found.expect(queue in queues, f"ScaledObject `{name}`: queue `{queue}` is not in the topology")
        found.expect(set(asked) == mine and len(asked) == len(mine),
                     f"ScaledObject `{name}`: scales on {sorted(asked)}, its queues are {sorted(mine)}")
        for trigger in one["spec"]["triggers"]:
            reference = trigger.get("authenticationRef")
            found.expect(not reference or overlay.get("TriggerAuthentication", reference["name"]),
                         f"ScaledObject `{name}`: no TriggerAuthentication `{(reference or {}).get('name')}`")
        # With none, a message held by a pod that is taken away starts a pod only to take it away again.
        found.expect(one["spec"]["minReplicaCount"] >= 1, f"ScaledObject `{name}`: scales to nothing")
        found.expect(one["spec"]["minReplicaCount"] <= one["spec"]["maxReplicaCount"], f"ScaledObject `{name}`: min > max")


def references(found: Findings, overlay: Rendered) -> None:
    """ConfigMaps and Secrets that are named are there, or somebody makes them."""
    made = {f"{one['metadata']['name']}-user-credentials" for one in overlay.all("User")}
    made |= {one["spec"]["secretName"] for one in overlay.all("Certificate")}
    named: list[tuple[str, str, str]] = []
    for workload in overlay.workloads():
        owner = workload["metadata"]["name"]
        one = container(workload)
        for source in one.get("envFrom", []) + [entry.get("valueFrom", {}) for entry in one.get("env", [])]:
            for kind, reference in source.items():
                named.append((owner, kind, reference["name"]))
        for volume in pod(workload)["spec"].get("volumes", []):
            if "configMap" in volume:
                named.append((owner, "configMap", volume["configMap"]["name"]))
            if "secret" in volume:
                named.append((owner, "secret", volume["secret"]["secretName"]))
    for one in overlay.all("TriggerAuthentication"):
        for entry in one["spec"].get("secretTargetRef", []):
            named.append((one["metadata"]["name"], "secret", entry["name"]))
        for entry in one["spec"].get("configMapTargetRef", []):
            named.append((one["metadata"]["name"], "configMap", entry["name"]))
    for owner, kind, name in named:
        if kind.lower().startswith("configmap"):
            found.expect(overlay.get("ConfigMap", name), f"{owner}: no ConfigMap `{name}`")
        else:
            found.expect(name in made | BY_HAND, f"{owner}: nobody makes the Secret `{name}`")
    found.expect(not overlay.all("Secret"), "a Secret is in the manifests: it would be in Git")


def pods(found: Findings, overlay: Rendered) -> None:
    """Pod Security `restricted`, which checkov looks at only in part, and limits."""
    namespace = overlay.get("Namespace", "clinflow") or {"metadata": {}}
    level = namespace["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce")
    found.expect(level == "restricted", f"the namespace enforces Pod Security `{level}`")
    for one in overlay.objects:
        inside = one["kind"] == "Namespace" or one["metadata"].get("namespace") == "clinflow"
        found.expect(inside, f"{one['kind']} `{one['metadata']['name']}` is in another namespace")
    for workload in overlay.workloads():
        name, spec, one = workload["metadata"]["name"], pod(workload)["spec"], container(workload)
        outer, inner = spec.get("securityContext", {}), one.get("securityContext", {})
        found.expect(outer.get("runAsNonRoot") is True and inner.get("runAsNonRoot", True) is True, f"{name}: may run as root")
        found.expect(outer.get("runAsUser") == 65532, f"{name}: does not run as 65532")
        found.expect(outer.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{name}: no seccomp profile")
        found.expect(inner.get("allowPrivilegeEscalation") is False, f"{name}: privileges may escalate")
        found.expect(inner.get("capabilities") == {"drop": ["ALL"]}, f"{name}: keeps capabilities")
        found.expect(inner.get("readOnlyRootFilesystem") is True, f"{name}: may write its root file system")
        found.expect(spec.get("automountServiceAccountToken") is False, f"{name}: mounts a token")
        amounts = one.get("resources", {})
        for what in ("requests", "limits"):
            found.expect({"cpu", "memory"} <= set(amounts.get(what, {})), f"{name}: no {what}")


def network(found: Findings, overlay: Rendered) -> None:
    """Nothing is open that nobody opened on purpose."""
    deny = overlay.get("NetworkPolicy", "default-deny")
    closed = deny and deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    found.expect(closed, "`default-deny` does not deny everything")
    for policy in overlay.all("NetworkPolicy"):
        name = policy["metadata"]["name"]
        for direction in ("ingress", "egress"):
            for rule in policy["spec"].get(direction, []):
                peers = rule.get("from" if direction == "ingress" else "to", [])
                found.expect(peers and rule.get("ports"), f"NetworkPolicy `{name}`: an {direction} rule for everybody or every port")
                for peer in peers:
                    block = peer.get("ipBlock", {}).get("cidr")
                    narrow = not block or ipaddress.ip_network(block).prefixlen >= 20
                    found.expect(narrow, f"NetworkPolicy `{name}`: `{block}` is wider than /20")
    for workload in overlay.workloads():
        for label in pod(workload)["metadata"]["labels"]:
            if label.startswith("clinflow.dev/reaches-"):
                policy = overlay.get("NetworkPolicy", label.removeprefix("clinflow.dev/"))
                fits = policy and policy["spec"]["podSelector"] == {"matchLabels": {label: "true"}}
                found.expect(fits, f"{workload['metadata']['name']}: label `{label}` opens nothing")
    models = [one["metadata"]["name"] for one in overlay.workloads()
              if "clinflow.dev/reaches-bedrock" in pod(one)["metadata"]["labels"]]
    found.expect(models == ["clinflow-nlp"], f"{models} reach Bedrock: only nlp may")


def monitoring(found: Findings, overlay: Rendered) -> None:
    """Where the Prometheus operator scrapes, the jobs are those of prometheus.yml: the rules use their names."""
    monitors = overlay.all("PodMonitor")
    if not monitors:
        return
    config = yaml.safe_load((Path(__file__).parent.parent / "prometheus" / "prometheus.yml").read_text())
    wanted = {(one["job_name"], one.get("metrics_path", "/metrics"), json.dumps(one.get("params", {})),
               *(rule["regex"] for rule in one.get("metric_relabel_configs", []))) for one in config["scrape_configs"]}
    there = {(next(rule["replacement"] for rule in one["relabelings"] if rule["targetLabel"] == "job"),
              one.get("path", "/metrics"), json.dumps(one.get("params", {})),
              *(rule["regex"] for rule in one.get("metricRelabelings", [])))
             for monitor in monitors for one in monitor["spec"]["podMetricsEndpoints"]}
    found.expect(there == wanted, f"PodMonitors and prometheus.yml differ in {sorted(there ^ wanted)}")


def site(found: Findings, overlay: Rendered) -> None:
    """The site's values have reached every place."""
    for one in overlay.objects:
        text = json.dumps(one)
        for placeholder in PLACEHOLDERS:
            where = f"{one['kind']} `{one['metadata']['name']}`"
            found.expect(placeholder not in text, f"{where}: `{placeholder}` was not filled in")
    redis = [one["data"]["redis.conf"] for one in overlay.all("ConfigMap") if "redis.conf" in one.get("data", {})]
    settings = [dict(line.split(" ", 1) for line in text.splitlines() if line and line[0] != "#") for text in redis]
    found.expect(settings and settings[0].get("maxmemory-policy") == "noeviction", "Redis may throw counters out")
    found.expect(settings and settings[0].get("appendonly") == "yes", "Redis keeps nothing over a restart")


def main() -> None:
    overlay, definitions = Rendered(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
    consumers = {one["name"].split(".")[1] for one in definitions["queues"] if one["name"].count(".") == 2
                 and one["name"].endswith(".batch")}
    found = Findings()
    custom_resources(found, overlay)
    topology_objects(found, overlay, definitions)
    companions(found, overlay, consumers | {"gateway"})
    scaling(found, overlay, definitions)
    references(found, overlay)
    pods(found, overlay)
    network(found, overlay)
    monitoring(found, overlay)
    site(found, overlay)
    found.end(f"manifests of {sys.argv[1]}")


if __name__ == "__main__":
    main()
