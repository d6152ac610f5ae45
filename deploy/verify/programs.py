#!/usr/bin/env python3
"""Checks a rendered overlay against the programs: each is started with `--show-config` on the configuration it would have.

programs.py <overlay's name> <rendered.yaml> <folder of the programs>
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml
from findings import Findings
from rendered import Rendered, container, pod

FIELD = re.compile(r"^( *)([a-z_]+): (.*?),?$")
UNITS = {"ms": 0.001, "s": 1.0}
PRICES = Path(__file__).parent.parent.parent / "workflows" / "prices.yaml"


def fields(shown: str) -> dict[tuple[str, ...], str]:
    """The fields that `--show-config` prints, by path; what a field holds, where it fits on the line."""
    found, open_fields = {}, []
    for line in shown.splitlines():
        if field := FIELD.match(line):
            indent, name, value = len(field[1]), field[2], field[3]
            open_fields = [one for one in open_fields if one[0] < indent] + [(indent, name)]
            found[tuple(name for _, name in open_fields)] = value
    return found


def seconds(text: str) -> float:
    """A duration as Rust prints it: `75s`, `500ms`."""
    amount = re.fullmatch(r"([0-9.]+)(ms|s)", text)
    if not amount:
        raise SystemExit(f"programs.py: `{text}` is no duration that is read here: teach `seconds`")
    return float(amount[1]) * UNITS[amount[2]]


def environment(overlay: Rendered, deployment: dict) -> dict[str, str]:
    """The variables that a pod of it would see. Secrets hold a word that may stand anywhere."""
    seen: dict[str, str] = {}
    one = container(deployment)
    for source in one.get("envFrom", []):
        seen |= (overlay.get("ConfigMap", source["configMapRef"]["name"]) or {"data": {}})["data"]
    for entry in one.get("env", []):
        value = entry.get("value", "hidden")
        seen[entry["name"]] = re.sub(r"\$\((\w+)\)", lambda name: seen.get(name[1], name[0]), value)
    return seen


def configuration(overlay: Rendered, deployment: dict) -> str:
    """The configuration file that is mounted where CLINFLOW_CONFIG points to."""
    volumes = {one["name"]: one for one in pod(deployment)["spec"]["volumes"]}
    path = next(one["value"] for one in container(deployment)["env"] if one["name"] == "CLINFLOW_CONFIG")
    mount = next(one for one in container(deployment)["volumeMounts"] if one["mountPath"] == path)
    return overlay.get("ConfigMap", volumes[mount["name"]]["configMap"]["name"])["data"][mount["subPath"]]


def leaves(table: dict, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The keys of a TOML table that hold a value."""
    return [leaf for key, value in table.items()
            for leaf in (leaves(value, (*path, key)) if isinstance(value, dict) else [(*path, key)])]


def check(found: Findings, overlay: Rendered, service: str, deployment: dict, program: Path) -> set[str]:
    """One service. Answers which variables its program knows."""
    name, file = deployment["metadata"]["name"], configuration(overlay, deployment)
    seen = environment(overlay, deployment)
    told = {key: value for key, value in seen.items() if key.startswith("CLINFLOW__")}
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as written:
        written.write(file)
        written.flush()
        run = subprocess.run([program, "--show-config"], env={**told, "CLINFLOW_CONFIG": written.name},
                             capture_output=True, text=True, check=False)
    if not found.expect(run.returncode == 0, f"{name}: its program refuses its configuration: {run.stderr.strip()}"):
        return set()
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as written:
        written.write("[borker]\nurl = 'amqp://rabbitmq'\n")
        written.flush()
        wrong = subprocess.run([program, "--show-config", "--config", written.name], capture_output=True, text=True, check=False)
    found.expect(wrong.returncode == 64 and "borker" in wrong.stderr, f"{name}: its program accepts a section that it does not know")
    shown = fields(run.stdout)
    # A program refuses an unknown key of a section it knows, and says nothing about a section it does not know.
    for path in leaves(tomllib.loads(file)):
        found.expect((path[0],) in shown, f"{name}: `[{path[0]}]` of its clinflow.toml means nothing to it")
    known = {key for key in told if (key.split("__")[1].lower(),) in shown}
    text = lambda *path: shown[path]  # noqa: E731
    found.expect(text("process", "operators") == "0.0.0.0:9464", f"{name}: serves operators at {text('process', 'operators')}")
    grace = pod(deployment)["spec"]["terminationGracePeriodSeconds"]
    drain = seconds(text("process", "drain"))
    found.expect(grace > drain, f"{name}: is killed after {grace} s, drains for {drain} s")
    if service == "gateway":
        return known | gateway(found, overlay, name, deployment, shown, drain)
    if model := shown.get(("bedrock", "model")):
        priced(found, name, model.strip('"'))
    stage = seconds(text("worker", "stage_timeout"))
    found.expect(drain > stage, f"{name}: drains for {drain} s, a stage may take {stage} s")
    cooldown = overlay.get("ScaledObject", name)["spec"]["cooldownPeriod"]
    found.expect(cooldown >= stage, f"{name}: may be scaled in after {cooldown} s, a stage may take {stage} s")
    for section, kind in (("broker", "amqps"), ("redis", "redis")):
        url = text(section, "url").strip('"')
        host = re.fullmatch(rf"{kind}://([a-z0-9.-]+)(:[0-9]+)?(/.*)?", url)
        there = host and (overlay.get("Service", host[1]) or overlay.get("RabbitmqCluster", host[1]))
        found.expect(there, f"{name}: {section}.url is `{url}`, which nothing in the overlay serves")
    return known


def priced(found: Findings, name: str, model: str) -> None:
    """A model without a price is never called."""
    table = yaml.safe_load(PRICES.read_text())
    model = (table.get("profiles") or {}).get(model, model)
    way = re.match(r"(?:(us-gov|us|eu|apac|jp|au|ca|global)\.)?(.*)", model)
    endpoint = {None: "region", "global": "global"}.get(way[1], "geo")
    rows = [one for one in table["models"] if one["model"] == way[2] and endpoint in one["endpoints"]]
    found.expect(rows, f"{name}: model `{model}` has no price in workflows/prices.yaml")


def gateway(found: Findings, overlay: Rendered, name: str, deployment: dict, shown: dict, drain: float) -> set[str]:
    """What only the gateway has: callers."""
    listen, auth = shown[("gateway", "listen")], shown[("gateway", "auth")]
    host, _, port = listen.rpartition(":")
    declared = next(one["containerPort"] for one in container(deployment)["ports"] if one["name"] == "api")
    found.expect(int(port) == declared, f"{name}: listens on {port}, its container says {declared}")
    alone = host.startswith("127.")
    found.expect(alone or auth != "None", f"{name}: listens on {host} and asks for no token: it will not start")
    target = overlay.get("Service", name)["spec"]["ports"][0]["targetPort"]
    found.expect(target == "api", f"Service `{name}`: leads to port `{target}`")
    longest = seconds(shown[("gateway", "submit_timeout")])
    found.expect(drain > longest, f"{name}: drains for {drain} s, a submission may take {longest} s")
    return set()


def main() -> None:
    overlay, programs = Rendered(sys.argv[2]), Path(sys.argv[3])
    found = Findings()
    told: set[str] = set()
    known: set[str] = set()
    for service, deployment in overlay.services().items():
        told |= {key for key in environment(overlay, deployment) if key.startswith("CLINFLOW__")}
        known |= check(found, overlay, service, deployment, programs / f"clinflow-{service}")
    for key in sorted(told - known):
        found.expect(False, f"`{key}` means nothing to any service")
    found.end(f"configurations of {sys.argv[1]}")


if __name__ == "__main__":
    main()
