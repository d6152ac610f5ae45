"""Checks the gold: every value stands in its document, names and codes are the agreed ones, every document has gold.

A value stands in its document `verbatim`, `folded` (over a line break or wider spacing of running text) or `in a cell`
(wrapped inside one table column, its pieces on neighbouring lines). PDF text is what `pdftotext -layout` gives.
"""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

from agreed import NAMES, field_faults

SAMPLES = Path(__file__).resolve().parent.parent


def text_of(path):
    if path.suffix == ".txt":
        return path.read_text(encoding="utf-8")
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout


def pieces(words, line, last_column):
    """The beginnings of `words` that stand in `line` no further right than `last_column`: (number of words, column)."""
    for count in range(len(words), 0, -1):
        pattern = r"(?<!\w)" + r"\s{1,3}".join(map(re.escape, words[:count])) + r"(?!\w)"
        yield from ((count, found.start()) for found in re.finditer(pattern, line) if found.start() <= last_column)


def continues(words, lines, column, blank=0):
    """True when `words` run on over `lines` under `column`, with at most three lines of other cells in between."""
    if not words:
        return True
    if not lines or blank > 3:
        return False
    return any(
        continues(words[count:], lines[1:], column) for count, _ in pieces(words, lines[0], column + 6)
    ) or continues(words, lines[1:], column, blank + 1)


def in_a_cell(value, lines):
    """True when the words of `value` run over neighbouring lines inside one table column."""
    words = value.split()
    return any(
        continues(words[count:], lines[row + 1 :], column)
        for row, line in enumerate(lines)
        for count, column in pieces(words, line, len(line))
    )


def row_fault(row, lines):
    """What is wrong with the values of one lab row: they must stand together, in one line of the table."""
    values = [field["value"] for field in row]
    name = next(field["value"] for field in row if field["name"] == "test_name")
    if any(all(value in line[line.find(name):] for value in values) for line in lines if name in line):
        return None
    return f"row `{name}`: its values do not stand in one line"


def how_it_stands(value, text, folded, lines):
    if value in text:
        return "verbatim"
    if " ".join(value.split()) in folded:
        return "folded"
    return "in a cell" if in_a_cell(value, lines) else None


def shape_faults(record, lines):
    """What is wrong with a gold record as a whole: its status, traps, groups and rows."""
    fields = record["fields"]
    if record["status"] not in ("completed", "needs-review") or not record["traps"]:
        yield "needs a status and at least one trap"
    if record["status"] != "needs-review" and any(field["normalized"] is None for field in fields):
        yield "an unsettled value needs the status needs-review"
    keys = Counter((field["name"], field.get("group"), field.get("index")) for field in fields)
    yield from (f"{key}: given twice" for key, count in keys.items() if count > 1)
    records = defaultdict(list)
    for field in fields:
        if "group" in field:
            records[field["group"], field["index"]].append(field)
    for group, index in records:
        if index > 1 and (group, index - 1) not in records:
            yield f"{group}[{index}]: the record before it is missing"
        if group == "row" and (fault := row_fault(records[group, index], lines)):
            yield fault


def faults_of(record):
    """What is wrong with one gold record, and how its values stand in the document."""
    text = text_of(SAMPLES / record["document"])
    folded, lines = " ".join(text.split()), text.splitlines()
    stands, faults = Counter(), list(shape_faults(record, lines))
    for field in record["fields"]:
        label = f"{field.get('group', 'document')}[{field.get('index', '-')}].{field['name']} `{field['value']}`"
        faults += [f"{label}: {fault}" for fault in field_faults(field, record["workflow"])]
        if how := how_it_stands(field["value"], text, folded, lines):
            stands[how] += 1
        else:
            faults.append(f"{label}: not in the document")
    return faults, stands


def main():
    failed = False
    for workflow in NAMES:
        lines = (SAMPLES / "gold" / f"{workflow}.jsonl").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        on_disk = {f"{workflow}/{path.name}" for path in (SAMPLES / workflow).iterdir()}
        faults = [f"{name}: no gold" for name in sorted(on_disk - {record["document"] for record in records})]
        faults += [f"{name}: over 60 kB" for name in on_disk if (SAMPLES / name).stat().st_size > 60_000]
        stands, statuses, fields = Counter(), Counter(), 0
        for record in records:
            found, how = faults_of(record)
            faults += [f"{record['document']}: {fault}" for fault in found]
            stands += how
            statuses[record["status"]] += 1
            fields += len(record["fields"])
        kinds = Counter(Path(name).suffix for name in on_disk)
        print(
            f"{workflow}: {len(records)} documents ({kinds['.txt']} txt, {kinds['.pdf']} pdf), {fields} values "
            f"({', '.join(f'{count} {how}' for how, count in stands.most_common())}), "
            f"{statuses['completed']} completed, {statuses['needs-review']} needs-review"
        )
        for fault in faults:
            print(f"  {fault}")
        failed |= bool(faults)
    print("FAILED" if failed else "every gold value stands in its document")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
