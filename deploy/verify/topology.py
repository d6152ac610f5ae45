#!/usr/bin/env python3
"""Turns `clinflow topology show --definitions` (standard input) into objects of the messaging topology operator.

The broker's topology is one table in the program; this makes `deploy/k8s/platform/topology.yaml` from it:

    target/debug/clinflow topology show --definitions | deploy/verify/topology.py > deploy/k8s/platform/topology.yaml
"""

import json
import re
import sys

CLUSTER = {"name": "clinflow-rabbitmq"}

HEADER = """\
# Made by deploy/verify/topology.py from `clinflow topology show --definitions`: change crates/ports/src/topology.rs and make
# it again. `make verify-deploy` compares.
"""


def name(*words: str) -> str:
    """A Kubernetes name out of words of the broker: `*` and `#` are spelled, other characters become dashes."""
    text = "-".join(words).lower().replace("*", "any").replace("#", "all")
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def thing(kind: str, object_name: str, spec: dict) -> dict:
    return {
        "apiVersion": "rabbitmq.com/v1beta1",
        "kind": kind,
        "metadata": {"name": object_name},
        "spec": {**spec, "rabbitmqClusterReference": CLUSTER},
    }


def objects(definitions: dict) -> list[dict]:
    made = []
    for exchange in definitions["exchanges"]:
        spec = {"name": exchange["name"], "vhost": exchange["vhost"], "type": exchange["type"]}
        made.append(thing("Exchange", name(exchange["name"]), {**spec, "durable": True, "autoDelete": False}))
    for queue in definitions["queues"]:
        arguments = dict(queue["arguments"])
        spec = {"name": queue["name"], "vhost": queue["vhost"], "type": arguments.pop("x-queue-type")}
        spec |= {"durable": True, "autoDelete": False, "arguments": arguments}
        # A queue that disappears from Git must not take its messages with it.
        made.append(thing("Queue", name(queue["name"]), {**spec, "deletionPolicy": "retain"}))
    for binding in definitions["bindings"]:
        source, queue, key = binding["source"], binding["destination"], binding["routing_key"]
        spec = {"source": source, "destination": queue, "destinationType": "queue", "vhost": binding["vhost"]}
        # The return exchange's keys repeat the queue.
        words = [queue.removeprefix("clinflow."), source.removeprefix("clinflow."), key.replace(queue, "")]
        made.append(thing("Binding", name(*words), {**spec, "routingKey": key}))
    for policy in definitions["policies"]:
        spec = {"name": policy["name"], "vhost": policy["vhost"], "pattern": policy["pattern"]}
        spec |= {"applyTo": policy["apply-to"], "priority": policy["priority"], "definition": policy["definition"]}
        made.append(thing("Policy", name(policy["name"]), spec))
    return made


def check_names(made: list[dict]) -> None:
    seen = set()
    for one in made:
        key = (one["kind"], one["metadata"]["name"])
        if key in seen or len(key[1]) > 253:
            raise SystemExit(f"topology.py: {key[0]} `{key[1]}` is made twice or too long: change `name`")
        seen.add(key)


def text(made: list[dict]) -> str:
    # JSON is YAML, and needs no library: one line an object.
    return HEADER + "".join(f"---\n{json.dumps(one)}\n" for one in made)


def main() -> None:
    made = objects(json.load(sys.stdin))
    check_names(made)
    sys.stdout.write(text(made))


if __name__ == "__main__":
    main()
