#!/usr/bin/env python3
"""Publish a document to clinflow over AMQP, without the gateway.

    pip install pika
    publish.py amqp://user:password@broker:5672/%2f /var/lib/clinflow/objects report.pdf --workflow ae-report

Stores the document, publishes one `clinflow.v1.DocumentSubmitted`, waits until the broker has it on disk, and
prints the message id. Running it again with the same arguments is safe: the object's key, the body and the
message id all follow from the document's bytes and the workflow. docs/guide/publish.md explains every line.
"""

import argparse
import hashlib
import os
import pathlib
import re
import sys
import time
import uuid

EXCHANGE = "clinflow.events"
TYPE = "clinflow.v1.DocumentSubmitted"
# Any fixed namespace of your own will do: it only keeps these ids apart from other derived ids.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, "clinflow.example.publish")


def name(text):
    """A workflow, session or team: the alphabet keeps patients' names and wildcards out of routing keys."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text):
        raise argparse.ArgumentTypeError("1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-'")
    return text


def arguments():
    parser = argparse.ArgumentParser(description="Publish a document to clinflow over AMQP.")
    parser.add_argument("broker", help="amqp://user:password@host:5672/vhost (amqps:// with TLS)")
    parser.add_argument("objects", type=pathlib.Path, help="folder of the object store")
    parser.add_argument("document", type=pathlib.Path, help="file to publish")
    parser.add_argument("--workflow", type=name, default="auto", help="default: let the classifier choose")
    parser.add_argument("--lane", choices=["interactive", "batch"], default="batch")
    parser.add_argument("--media-type", default="", help="default: let the classifier find out")
    parser.add_argument("--session", type=name, help="groups executions")
    parser.add_argument("--team", type=name, help="the submitting team")
    parser.add_argument("--dry-run", action="store_true", help="print properties and body, store and publish nothing")
    return parser.parse_args()


def field(number, value):
    """One protobuf field: https://protobuf.dev/programming-guides/encoding/. A default value is left out."""
    if not value:
        return b""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def document_submitted(sha256, key, size, options):
    """The body: field numbers are those of proto/clinflow/v1/{common,pipeline}.proto."""
    document = field(1, sha256) + field(2, key) + field(3, options.media_type) + field(4, size)
    execution = field(2, document) + field(4, options.session) + field(5, options.team)
    return field(1, execution) + field(2, options.workflow)


def store(folder, key, content):
    """Writes the document under its key, all or nothing, before any message names it."""
    path = folder / key
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # No key has a '#', so nobody reads the half-written file.
    unfinished = path.with_name(f"{path.name}#{os.getpid()}")
    with open(unfinished, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def publish(broker, key, body, properties):
    """Publishes persistently and mandatorily, and returns once the broker has confirmed."""
    import pika  # only here, so that --help and --dry-run need nothing installed

    try:
        connection = pika.BlockingConnection(pika.URLParameters(broker))
        channel = connection.channel()
        channel.confirm_delivery()
        # Raises UnroutableError when no queue is bound, NackError when the queue is full.
        channel.basic_publish(
            EXCHANGE, key, body, pika.BasicProperties(delivery_mode=2, **properties), mandatory=True
        )
        connection.close()
    except pika.exceptions.AMQPError as error:
        sys.exit(f"not published: {error!r}; run the same command again later")


def main():
    options = arguments()
    content = options.document.read_bytes()
    if not content:
        sys.exit(f"{options.document}: the document is empty")
    sha256 = hashlib.sha256(content)
    object_key = f"documents/{sha256.hexdigest()}"
    body = document_submitted(sha256.digest(), object_key, len(content), options)
    headers = {"workflow": options.workflow, "lane": options.lane, "session": options.session, "team": options.team}
    properties = {
        "message_id": str(uuid.uuid5(NAMESPACE, f"{options.workflow}/{sha256.hexdigest()}")),
        "type": TYPE,
        "content_type": "application/x-protobuf",
        "timestamp": int(time.time()),
        "headers": {key: value for key, value in headers.items() if value},
    }
    # The key has four words: a dot inside a workflow would make it five.
    routing_key = f"document.submitted.{options.workflow.replace('.', '_')}.{options.lane}"
    if options.dry_run:
        import json

        print(json.dumps({"exchange": EXCHANGE, "routing_key": routing_key, **properties, "body": body.hex()}))
        return
    store(options.objects, object_key, content)
    publish(options.broker, routing_key, body, properties)
    print(properties["message_id"])


if __name__ == "__main__":
    main()
