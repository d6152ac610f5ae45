"""Reads the gold notes (`<nn>-<slug>.gold`) that stand beside each document source.

    status: completed | needs-review
    trap: what a careless reader gets wrong here
    study_id = ABX-104-301                        the value, as written in the document
    onset_date = 09-JAN-2026 => 2026-01-09        and what it normalises to; `=> ?` means: a person must settle it
    dose = 150 mg => 150 [mg]                     with its unit
    condition = sepsis {negated}                  with its assertion: negated historical hypothetical uncertain family other
    [event]                                       begins the next record of a group; a name met again does so too
    | Potassium | 5.9 | mmol/L | mmol/L | 3.5 | 5.1 | H      one lab row: test, result, unit, UCUM, low, high, flag
"""

import re
from pathlib import Path

FLAGS = {
    "H": "HIGH", "HH": "HIGH", "H*": "HIGH", "High": "HIGH", "HIGH": "HIGH", "↑": "HIGH", "+": "HIGH", ">": "HIGH",
    "L": "LOW", "LL": "LOW", "L*": "LOW", "Low": "LOW", "LOW": "LOW", "↓": "LOW", "-": "LOW",
    "N": "NORMAL", "Normal": "NORMAL", "A": "ABNORMAL", "ABN": "ABNORMAL", "Abnormal": "ABNORMAL",
}
ROW = ("test_name", "result", "unit", None, "reference_low", "reference_high", "flag")


def field(name, text):
    """One field of a gold line, from what stands right of its `=`."""
    text, found = text.strip(), {"name": name}
    if assertion := re.search(r"\s*\{([a-z ]+)\}$", text):
        text = text[: assertion.start()]
        words = assertion.group(1).split()
        found["assertion"] = {word: True for word in words if word not in ("family", "other")}
        found["assertion"].update({"experiencer": word for word in words if word in ("family", "other")})
    value, arrow, normalized = (part.strip() for part in text.partition(" => "))
    if unit := re.search(r"\s*\[(\S+)\]$", normalized):
        normalized, found["unit"] = normalized[: unit.start()], unit.group(1)
    found["value"] = value
    found["normalized"] = None if normalized == "?" else normalized if arrow else value
    return found


def lab_row(line, index):
    """The fields of one lab row."""
    cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    cells += [""] * (len(ROW) - len(cells))
    for name, cell in zip(ROW, cells):
        if name and cell:
            found = field(name, cell)
            if name == "unit":
                found["normalized"] = found["unit"] = cells[3]
            if name == "flag" and " => " not in cell:
                found["normalized"] = FLAGS[cell]
            yield found | {"group": "row", "index": index}


def read(path: Path, document: str) -> dict:
    """The gold record of one document."""
    record = {"document": document, "workflow": document.split("/")[0], "fields": [], "status": None, "traps": []}
    group, seen, counts = None, set(), {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("status:"):
            record["status"] = line[7:].strip()
        elif line.startswith("trap:"):
            record["traps"].append(line[5:].strip())
        elif line.startswith("|"):
            counts["row"] = counts.get("row", 0) + 1
            record["fields"] += lab_row(line, counts["row"])
        elif heading := re.fullmatch(r"\[(\w*)\]", line.strip()):
            group, seen = heading.group(1) or None, set()
            if group:
                counts[group] = counts.get(group, 0) + 1
        else:
            name, equals, rest = line.partition(" = ")
            assert equals, f"{path.name}: not a gold line: {line}"
            found = field(name.strip(), rest)
            if group and found["name"] in seen:
                counts[group] += 1
                seen = set()
            seen.add(found["name"])
            record["fields"].append(found | ({"group": group, "index": counts[group]} if group else {}))
    return record
