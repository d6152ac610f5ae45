#!/usr/bin/env python3
"""Checks deploy/aws: what each role may do is what its service does, and the tables are those that the program makes.

access.py <clinflow program>
"""

import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import cloudformation
from cloudformation import many, text
from findings import Findings

SERVICES = Path(__file__).parent.parent.parent / "services"
# What a service's main.rs opens, and the table it is.
OPENS = {"DynamoExecutions": "executions", "DynamoAuditLog": "audit", "DynamoBundles": "bundles",
         "DynamoSessions": "sessions", "DynamoReviews": "reviews", "DynamoLedger": "ledger"}
# Who adds records: the auditor, and the gateway about what people decide.
RECORDERS = {"auditor", "gateway"}
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
# What may be done to records and to what was spent: add and read.
ADDS = READS | {"dynamodb:PutItem", "dynamodb:ConditionCheckItem"}


def policies() -> dict[str, list[dict]]:
    """The statements of each role, by service."""
    found: dict[str, list[dict]] = {}
    for resource in cloudformation.load("access.yaml")["Resources"].values():
        if resource["Type"] == "AWS::IAM::RolePolicy":
            service = resource["Properties"]["RoleName"]["Ref"].removesuffix("Role")
            found.setdefault(service, []).extend(cloudformation.statements(resource["Properties"]["PolicyDocument"]))
    return found


def least_privilege(found: Findings, roles: dict[str, list[dict]]) -> None:
    """No stars, models for nlp only, and records that nobody changes."""
    for service, statements in roles.items():
        granted: dict[str, set[str]] = {}
        for statement in statements:
            where = f"{service}: {statement.get('Sid', statement)}"
            found.expect(statement["Effect"] == "Allow", f"{where}: is no Allow")
            found.expect("NotAction" not in statement and "NotResource" not in statement, f"{where}: says what is not meant")
            actions = many(statement["Action"])
            resources = [text(one) for one in many(statement["Resource"])]
            for action in actions:
                found.expect("*" not in action, f"{where}: `{action}` is more than one action")
                found.expect("Delete" not in action, f"{where}: `{action}`: no service removes anything")
            for resource in resources:
                # Of one table its indexes, of one bucket one folder.
                bare = resource.removesuffix("/index/*")
                bare = bare.removesuffix("/*") if ":s3:::" in bare else bare
                found.expect("*" not in bare, f"{where}: `{resource}` is more than one thing")
                for table in re.findall(r":table/clinflow-([a-z]+)", resource):
                    granted.setdefault(table, set()).update(actions)
            models = [action for action in actions if action.startswith("bedrock:")]
            found.expect(not models or service == "nlp", f"{where}: only nlp calls models")
        for table, allowed in (("audit", ADDS if service in RECORDERS else READS), ("ledger", ADDS)):
            more = granted.get(table, set()) - allowed
            found.expect(not more, f"{service}: may {sorted(more)} in the table {table}")
        opened(found, service, statements, granted)


def opened(found: Findings, service: str, statements: list[dict], granted: dict[str, set[str]]) -> None:
    """What a service's main.rs opens, its role may use."""
    source = SERVICES / service / "src" / "main.rs"
    if not source.exists():
        found.expect(service == "publish" and set(granted) == {"bundles"}, f"{service}: a role for no service")
        return
    main = source.read_text()
    used = {table for what, table in OPENS.items() if f"{what}::new" in main}
    for table in sorted(used):
        found.expect(table in granted, f"{service}: opens `{table}`, its role may not use it")
    for table in sorted(set(granted) - used):
        found.expect(False, f"{service}: may use `{table}`, which its main.rs does not open")
    objects = any(action.startswith("s3:") for one in statements for action in many(one["Action"]))
    found.expect(objects == ("Store::open" in main), f"{service}: opens the object store or may use it, not both")


def trust(found: Findings, roles: dict[str, list[dict]]) -> None:
    """Each role is assumed by the service account of its name only, and has one policy."""
    there = set()
    for resource in cloudformation.load("access.yaml")["Resources"].values():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        name = text(resource["Properties"]["RoleName"])
        there.add(name.removeprefix("clinflow-"))
        (statement,) = json.loads(text(resource["Properties"]["AssumeRolePolicyDocument"]))["Statement"]
        wanted = {"${OidcProvider}:aud": "sts.amazonaws.com",
                  "${OidcProvider}:sub": f"system:serviceaccount:${{Namespace}}:{name}"}
        found.expect(statement["Condition"] == {"StringEquals": wanted}, f"{name}: who assumes it is not its service account")
        found.expect(statement["Action"] == "sts:AssumeRoleWithWebIdentity", f"{name}: is assumed by {statement['Action']}")
    found.expect(there == set(roles), f"roles {sorted(there)} and policies {sorted(roles)} differ")


def data(found: Findings, program: Path) -> None:
    """The tables are those that the program makes for itself; what lasts is kept, encrypted and backed up."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([program, "executions", "--data", folder], capture_output=True, text=True, check=False)
        if not found.expect(run.returncode == 0, f"`clinflow executions --data` fails: {run.stderr.strip()}"):
            return
        database = sqlite3.connect(f"{folder}/dynamodb.sqlite")
        rows = database.execute("SELECT table_name, key_schema, attribute_definitions, gsi_definitions FROM _tables")
        made = {name: tuple(json.loads(one or "[]") for one in shape) for name, *shape in rows}
        database.close()
    order = lambda many: sorted(json.dumps(one, sort_keys=True) for one in many)  # noqa: E731
    templates = cloudformation.tables()
    found.expect(set(made) == set(templates), f"the program makes {sorted(made)}, data.yaml {sorted(templates)}")
    for name in set(made) & set(templates):
        keys, attributes, indexes = made[name]
        table = templates[name]
        found.expect(table["KeySchema"] == keys, f"{name}: the program's keys are {keys}")
        found.expect(order(table["AttributeDefinitions"]) == order(attributes), f"{name}: the program's attributes are {attributes}")
        found.expect(order(table.get("GlobalSecondaryIndexes", [])) == order(indexes), f"{name}: the program's indexes are {indexes}")
    for key, resource in cloudformation.load("data.yaml")["Resources"].items():
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"):
            found.expect(resource.get("DeletionPolicy") == "Retain", f"data.yaml: {key} goes with its stack")
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            backed = properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
            found.expect(backed is True, f"data.yaml: {key} has no point-in-time recovery")
            found.expect(properties.get("SSESpecification", {}).get("SSEType") == "KMS", f"data.yaml: {key} has no key")
            found.expect(properties.get("DeletionProtectionEnabled") is True, f"data.yaml: {key} may be deleted")
    compose = Path(__file__).parent.parent / "docker" / "tables"
    files = {one.stem: json.loads(one.read_text()) for one in compose.glob("*.json")}
    found.expect(files == templates, "deploy/docker/tables is not of data.yaml: run deploy/verify/tables.py")


def denied(table: str) -> dict[str, list[dict]]:
    """What a table's own policy refuses to everybody, by action: the conditions."""
    properties = next(one["Properties"] for one in cloudformation.load("data.yaml")["Resources"].values()
                      if text(one["Properties"].get("TableName", "")) == f"clinflow-{table}")
    refused: dict[str, list[dict]] = {}
    for statement in properties["ResourcePolicy"]["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Deny" and statement["Principal"] == "*" and text(statement["Resource"]).endswith(f"-{table}"):
            for action in many(statement["Action"]):
                refused.setdefault(action, []).append(statement.get("Condition", {}))
    return refused


def append_only(found: Findings) -> None:
    """Records and what was spent are added to and never changed, whoever asks; only `RECORDERS` add records."""
    for table in ("audit", "ledger"):
        for action in ("DeleteItem", "UpdateItem", "PartiQLDelete", "PartiQLUpdate"):
            found.expect({} in denied(table).get(f"dynamodb:{action}", []), f"the table {table} lets somebody {action}")
    for action in ("PutItem", "BatchWriteItem", "PartiQLInsert"):
        but = [{text(arn).rpartition(":role/clinflow-")[2] for arn in many(one.get("ArnNotEquals", {}).get("aws:PrincipalArn", []))}
               for one in denied("audit").get(f"dynamodb:{action}", [])]
        found.expect(but == [RECORDERS], f"the table audit lets others {action} than {sorted(RECORDERS)}")


def main() -> None:
    found, roles = Findings(), policies()
    least_privilege(found, roles)
    trust(found, roles)
    data(found, Path(sys.argv[1]))
    append_only(found)
    found.end("access")


if __name__ == "__main__":
    main()
