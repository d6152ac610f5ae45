#!/usr/bin/env python3
"""Checks deploy/docker/compose.yaml: its services are the roles, and each program understands what it is told.

compose.py <folder of the programs>
"""

import subprocess
import sys
from pathlib import Path

import yaml
from findings import Findings
from programs import fields, seconds

DOCKER = Path(__file__).parent.parent / "docker"
ROLES = {"gateway", "classifier", "extractor", "nlp", "aggregator", "validator", "auditor", "reporter"}


def programs_understand(found: Findings, services: dict[str, dict], programs: Path) -> None:
    """Each service's variables mean something to it, and it is given time to drain."""
    told: set[str] = set()
    known: set[str] = set()
    for role in sorted(ROLES & set(services)):
        one = services[role]
        seen = {key: str(value) for key, value in one["environment"].items() if key.startswith("CLINFLOW__")}
        run = subprocess.run([programs / f"clinflow-{role}", "--show-config"], env=seen, capture_output=True, text=True, check=False)
        if not found.expect(run.returncode == 0, f"{role}: its program refuses its configuration: {run.stderr.strip()}"):
            continue
        shown = fields(run.stdout)
        told |= set(seen)
        known |= {key for key in seen if (key.split("__")[1].lower(),) in shown}
        drain = seconds(shown[("process", "drain")])
        grace = seconds(one.get("stop_grace_period", "10s"))
        found.expect(grace > drain, f"{role}: is killed after {grace} s, drains for {drain} s")
        if role == "gateway":
            # What `door` leads to, and where nobody without a token may listen.
            listen = shown[("gateway", "listen")]
            found.expect(services["door"]["command"][1] == f"TCP:{listen}", f"door does not lead to the gateway at {listen}")
    for key in sorted(told - known):
        found.expect(False, f"`{key}` means nothing to any service")


def built(found: Findings, services: dict[str, dict]) -> None:
    """Every image built here is of a package of the workspace, from the one Dockerfile."""
    root = DOCKER.parent.parent
    manifests = [one.read_text() for pattern in ("crates/*", "services/*", "tests/*") for one in root.glob(f"{pattern}/Cargo.toml")]
    for name, one in services.items():
        if build := one.get("build"):
            package = build["args"]["SERVICE"]
            program = build["args"].get("PROGRAM", package)
            found.expect((root / build["dockerfile"]).exists(), f"{name}: no {build['dockerfile']}")
            manifest = next((text for text in manifests if f'name = "{package}"' in text), None)
            found.expect(manifest and f'name = "{program}"' in manifest, f"{name}: no program `{program}` in package `{package}`")
            wanted = {"gateway": "clinflow-gateway"}.get(name, f"clinflow-{name}" if name in ROLES else package)
            found.expect(package == wanted, f"{name}: is built from {package}")
        else:
            tag = one["image"].partition(":")[2]
            found.expect(tag and tag != "latest", f"{name}: image `{one['image']}` may change under it")


def alone(found: Findings, services: dict[str, dict]) -> None:
    """Nothing listens beyond this machine, and what is mounted is there."""
    for name, one in services.items():
        for port in one.get("ports", []):
            found.expect(port.startswith("127.0.0.1:"), f"{name}: port `{port}` is open to the network")
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            found.expect(not source.startswith(".") or (DOCKER / source).exists(), f"{name}: `{source}` is not there")
        for other in one.get("depends_on", []):
            found.expect(other in services, f"{name}: depends on `{other}`, which is not there")


def main() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    found = Findings()
    found.expect(ROLES <= set(services), f"{sorted(ROLES - set(services))} are missing")
    programs_understand(found, services, Path(sys.argv[1]))
    built(found, services)
    alone(found, services)
    found.end("compose")


if __name__ == "__main__":
    main()
