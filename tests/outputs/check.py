"""Checks every FHIR Bundle and every Dataset-JSON file below a folder that `clinflow run --out` wrote.

    check.py DIR

FHIR goes through fhir.resources (R4B, whose models of these resources are those of R4), and through what no library
checks: references that lead somewhere, required codes, quantities with their unit's system, periods in order, a Provenance
for every resource. Dataset-JSON goes through its JSON Schema, and through what a schema cannot say. Both are compared with
the record beside them: what the record says did not happen must not stand there as a fact, and every span must be one of
the record's. Prints one line a mistake and a summary; exits 1 when there is a mistake or nothing to check.
"""

import json
import re
import sys
from pathlib import Path

import jsonschema
from fhir.resources.R4B.bundle import Bundle

HERE = Path(__file__).parent
SCHEMA = jsonschema.Draft202012Validator(json.loads((HERE / "dataset-json-1.1.schema.json").read_text()))
HL7 = "http://terminology.hl7.org/CodeSystem/"

# Elements bound to a value set whose strength is `required`, with the codes of R4 (4.0.1).
REQUIRED = {
    ("AdverseEvent", "severity"): (HL7 + "adverse-event-severity", {"mild", "moderate", "severe"}),
    ("AdverseEvent", "outcome"): (
        HL7 + "adverse-event-outcome",
        {"resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown"},
    ),
    ("Condition", "verificationStatus"): (
        HL7 + "condition-ver-status",
        {"unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"},
    ),
}
CODES = {
    ("AdverseEvent", "actuality"): {"actual", "potential"},
    ("DocumentReference", "status"): {"current", "superseded", "entered-in-error"},
    ("Encounter", "status"): {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
                              "entered-in-error", "unknown"},
    ("MedicationStatement", "status"): {"active", "completed", "entered-in-error", "intended", "stopped", "on-hold",
                                        "unknown", "not-taken"},
    ("Observation", "status"): {"registered", "preliminary", "final", "amended", "corrected", "cancelled",
                                "entered-in-error", "unknown"},
    ("Patient", "gender"): {"male", "female", "other", "unknown"},
}
# What says who, what and where, and so needs no Provenance of its own.
WITHOUT_PROVENANCE = {"DocumentReference", "Device", "Provenance"}
FACTS = {"AdverseEvent", "MedicationStatement", "Observation", "Encounter"}
PARTIAL = re.compile(r"^\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2})?)?)?)?)?$")
DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")


def walk(node, path=""):
    """Every object below `node`, with the path to it."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from walk(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{path}[{index}]")


def is_fact(assertion):
    """True unless the mention is denied, imagined, or about somebody else."""
    return not (assertion["negated"] or assertion["hypothetical"] or assertion["experiencer"] != "patient")


def path_of(field):
    """The name a field has in evidence."""
    group = field.get("group")
    place = group if group is None or field.get("index") is None else f"{group}/{field['index']}"
    return field["name"] if place is None else f"{place}/{field['name']}"


def evidence_of(provenance):
    """The fields a Provenance rests on: name, and spans as (start, end)."""
    for entity in provenance["entity"]:
        for extension in entity["extension"]:
            name, spans = None, []
            for part in extension["extension"]:
                if part["url"] == "field":
                    name = part["valueString"]
                if part["url"] == "span":
                    ends = {inner["url"]: inner.get("valueUnsignedInt") for inner in part["extension"]}
                    spans.append((ends["start"], ends["end"]))
            yield name, spans


def check_fhir(bundle, text, record):
    """The mistakes of one Bundle."""
    try:
        Bundle.model_validate_json(text)
    except ValueError as error:
        yield from (f"fhir.resources: {line.strip()}" for line in str(error).splitlines()[:7])
        return
    resources = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    if len(resources) != len(bundle["entry"]):
        yield "two entries have one fullUrl"
    for url, resource in resources.items():
        if url != f"urn:uuid:{resource['id']}":
            yield f"{url} is not the id {resource['id']}"
        yield from check_resource(resource, resources)
    fields = {path_of(field): field for field in record["fields"]}
    told = {}
    for provenance in (one for one in resources.values() if one["resourceType"] == "Provenance"):
        target = provenance["target"][0]["reference"]
        told[target] = provenance
        kind = resources.get(target, {}).get("resourceType")
        refuted = kind == "Condition" and resources[target]["verificationStatus"]["coding"][0]["code"] == "refuted"
        for name, spans in evidence_of(provenance):
            field = fields.get(name)
            if field is None:
                yield f"evidence for `{name}`, which the record has not"
                continue
            if spans != [(one["start"], one["end"]) for one in field["evidence"]]:
                yield f"`{name}` has other spans than in the record"
            if kind in FACTS and not is_fact(field["assertion"]):
                yield f"`{name}` is denied, imagined or of somebody else, and stands as {kind}"
            if kind == "AdverseEvent" and name.endswith("event_term") and field["assertion"]["historical"]:
                yield f"`{name}` is of the past, and stands as AdverseEvent"
            if refuted == is_fact(field["assertion"]) and kind == "Condition":
                yield f"`{name}` is {'refuted' if refuted else 'stated'} against its assertion"
    for url, resource in resources.items():
        if resource["resourceType"] not in WITHOUT_PROVENANCE and url not in told:
            yield f"{resource['resourceType']} {url} has no Provenance"


def check_resource(resource, resources):
    """What no library checks of one resource."""
    kind = resource["resourceType"]
    contained = {f"#{one['id']}" for one in resource.get("contained", [])}
    for path, node in walk(resource, kind):
        reference = node.get("reference")
        if isinstance(reference, str) and reference not in resources and reference not in contained:
            yield f"{path} refers to {reference}, which is not there"
        if "code" in node and "value" in node and "system" not in node:
            yield f"{path} is a quantity with a code of no system"
        if "extension" in node and any(key.startswith("value") for key in node) and "url" in node:
            yield f"{path} has a value and extensions"
        period = node if {"start", "end"} <= node.keys() else None
        if period and all(isinstance(period[end], str) for end in ("start", "end")):
            known = min(len(period["start"]), len(period["end"]))
            if period["start"][:known] > period["end"][:known]:
                yield f"{path} ends before it begins"
    for (of, element), (system, codes) in REQUIRED.items():
        if kind == of and element in resource:
            found = [one["code"] for one in resource[element].get("coding", []) if one.get("system") == system]
            if len(found) != 1 or found[0] not in codes:
                yield f"{kind}.{element} has {found} of the required value set"
    for (of, element), codes in CODES.items():
        if kind == of and element in resource and resource[element] not in codes:
            yield f"{kind}.{element} is `{resource[element]}`"


def check_dataset(dataset, record):
    """The mistakes of one dataset."""
    mistakes = [error.message for error in SCHEMA.iter_errors(dataset)]
    if mistakes:
        yield from mistakes
        return
    columns, rows, domain = dataset["columns"], dataset["rows"], dataset["name"]
    names = [column["name"] for column in columns]
    if dataset["records"] != len(rows):
        yield f"says {dataset['records']} records and has {len(rows)}"
    if len(set(names)) != len(names):
        yield "has one column twice"
    if not rows:
        yield "has no rows: it should not have been written"
    topics = {path_of(field).rpartition("/")[0]: field for field in record["fields"] if field.get("group")
              and field["name"] in ("event_term", "drug_name", "condition", "test_name")}
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            yield f"row {number} has {len(row)} cells of {len(columns)}"
            continue
        cells = dict(zip(names, row))
        for name in ("STUDYID", "DOMAIN", "USUBJID"):
            if not cells.get(name):
                yield f"row {number} has no {name}"
        if cells["DOMAIN"] != domain or cells.get(f"{domain}SEQ", number) != number:
            yield f"row {number} is row {cells.get(f'{domain}SEQ')} of {cells['DOMAIN']}"
        for column, cell in zip(columns, row):
            yield from (f"row {number}: {mistake}" for mistake in check_cell(column, cell))
        topic = topics.get(cells.get(f"{domain}SPID"))
        if topic and (not is_fact(topic["assertion"]) or (topic["assertion"]["historical"] and domain != "MH")):
            yield f"row {number} says what the record denies: {topic['name']}"
        numeric, words = cells.get("LBSTRESN"), cells.get("LBSTRESC")
        if numeric is not None and numeric != words:
            yield f"row {number}: LBSTRESN is {numeric}, LBSTRESC {words}"


def check_cell(column, cell):
    """The mistakes of one cell."""
    name, kind = column["name"], column["dataType"]
    if cell is None:
        return
    if kind == "integer" and (not isinstance(cell, int) or isinstance(cell, bool)):
        yield f"{name} is `{cell}`, not an integer"
    if kind == "decimal" and not (isinstance(cell, str) and DECIMAL.match(cell)):
        yield f"{name} is `{cell}`, not a decimal in a string"
    if kind == "string" and not (isinstance(cell, str) and cell):
        yield f"{name} is `{cell}`, not a string with something in it"
    if name.endswith("DTC") and not PARTIAL.match(cell):
        yield f"{name} is `{cell}`, not ISO 8601"
    if re.match(r"^AES(ER|DTH|LIFE|HOSP|DISAB|CONG|MIE)$|^LBFAST$", name) and cell not in ("Y", "N"):
        yield f"{name} is `{cell}`, not Y or N"
    if name == "LBNRIND" and cell not in ("ABNORMAL", "HIGH", "LOW", "NORMAL"):
        yield f"{name} is `{cell}`"


def main(folder):
    """Checks all there is below `folder`; answers the exit code."""
    bundles = resources = datasets = rows = mistakes = 0
    for path in sorted(Path(folder).rglob("record.json")):
        record = json.loads(path.read_text())
        found = []
        for file in sorted(path.parent.glob("*.json")):
            text = file.read_text()
            content = json.loads(text)
            if file.name == "fhir.json":
                bundles, resources = bundles + 1, resources + len(content["entry"])
                found += [(file, mistake) for mistake in check_fhir(content, text, record)]
            elif file.name != "record.json":
                datasets, rows = datasets + 1, rows + len(content.get("rows", []))
                found += [(file, mistake) for mistake in check_dataset(content, record)]
        for file, mistake in found:
            print(f"{file.relative_to(folder)}: {mistake}")
        mistakes += len(found)
    print(f"{bundles} bundles with {resources} resources, {datasets} datasets with {rows} rows, {mistakes} mistakes")
    return 1 if mistakes or not bundles or not datasets else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
