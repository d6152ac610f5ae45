"""Checks the gold: every value stands in its document, names and codes are the agreed ones, every document has gold.

A value stands in its document `verbatim`, `folded` (over a line break or wider spacing of running text) or `in a cell`
(wrapped inside one table column, its pieces on neighbouring lines). PDF text is what `pdftotext -layout` gives.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent
ENVELOPE = "study_id site_id subject_id document_date"
NAMES = {
    "ae-report": {
        None: "report_type age sex reporter_name reporter_role",
        "event": "event_term onset_date end_date severity ctcae_grade serious seriousness_death "
        "seriousness_life_threatening seriousness_hospitalisation seriousness_disability seriousness_congenital "
        "seriousness_important outcome action_taken causality",
        "suspect_drug": "drug_name dose route frequency start_date stop_date lot_number indication",
        "concomitant_drug": "drug_name",
    },
    "patient-narrative": {
        None: "age sex race hospital_admission_date hospital_discharge_date study_drug",
        "event": "event_term onset_date outcome severity causality",
        "treatment": "drug_name dose route frequency",
        "negated": "condition",
        "history": "condition",
    },
    "protocol-amendment": {
        None: "protocol_id protocol_version protocol_date amendment_number amendment_scope enrolment_percent "
        "approval_date primary_reason substantial_safety_impact substantial_reliability_impact reconsent_required",
        "change": "section_number section_title change_description rationale",
    },
    "lab-report": {
        None: "lab_name accession collected_at received_at reported_at specimen fasting",
        "row": "test_name result unit reference_low reference_high flag",
    },
}
DATE = r"\d{4}(-\d\d(-\d\d)?|---\d\d)?(T\d\d:\d\d(:\d\d)?)?"
NUMBER = r"-?\d+(\.\d+)?"
OUTCOMES = (
    "RECOVERED/RESOLVED|RECOVERING/RESOLVING|NOT RECOVERED/NOT RESOLVED|RECOVERED/RESOLVED WITH SEQUELAE|FATAL|UNKNOWN"
)
REASONS = (
    "Regulatory agency request|New regulatory guidance|IRB/IEC feedback|New safety information|Manufacturing change|"
    "IMP addition|Change in strategy|Change in SoC|New data \\(other than safety\\)|Investigator/site feedback|"
    "Recruitment difficulty|Inconsistency/error|Protocol design error|Other"
)
CODES = {
    "sex": "M|F|U", "severity": "MILD|MODERATE|SEVERE", "ctcae_grade": "[1-5]", "outcome": OUTCOMES,
    "report_type": "ORIGINAL|AMENDMENT|NULLIFICATION",
    "action_taken": "DRUG WITHDRAWN|DOSE REDUCED|DOSE INCREASED|DOSE NOT CHANGED|DRUG INTERRUPTED|UNKNOWN|NOT APPLICABLE",
    "causality": "RELATED|POSSIBLY RELATED|UNLIKELY RELATED|NOT RELATED|PROBABLY RELATED|NOT ASSESSABLE",
    "amendment_scope": "GLOBAL|NOT GLOBAL", "primary_reason": REASONS, "flag": "HIGH|LOW|NORMAL|ABNORMAL",
    "age": NUMBER, "dose": NUMBER, "enrolment_percent": NUMBER, "reference_low": NUMBER, "reference_high": NUMBER,
    "route": r"[A-Z ()]+", "frequency": r"[A-Z0-9 /]+",
}
YES_NO = {"serious", "fasting", "reconsent_required", "substantial_safety_impact", "substantial_reliability_impact"}


def code_of(name):
    """The pattern which the normalised value of a field must match, or `None`."""
    if name in YES_NO or name.startswith("seriousness_"):
        return "Y" if name.startswith("seriousness_") else "Y|N"
    return DATE if name.endswith(("_date", "_at")) else CODES.get(name)


def text_of(path):
    if path.suffix == ".txt":
        return path.read_text(encoding="utf-8")
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout


def in_a_cell(value, lines):
    """True when the words of `value` run over neighbouring lines inside one column."""
    words = value.split()

    def piece(line, column, first, start):
        """Longest run of words[start:] in `line`: at any place for the first piece, else near `column`."""
        for stop in range(len(words), start, -1):
            pattern = r"(?<!\w)" + r"\s{1,3}".join(map(re.escape, words[start:stop])) + r"(?!\w)"
            for found in re.finditer(pattern, line):
                if first or found.start() <= column + 6:
                    yield stop, found.start()

    def rest(row, column, start, skipped=0):
        if start == len(words):
            return True
        if row >= len(lines) or skipped > 3:
            return False
        return any(rest(row + 1, max(at, column - 40), stop) for stop, at in piece(lines[row], column, False, start)) or rest(
            row + 1, column, start, skipped + 1
        )

    return any(
        rest(row + 1, at, stop) for row, line in enumerate(lines) for stop, at in piece(line, 0, True, 0)
    )


def how_it_stands(value, text, folded, lines):
    if value in text:
        return "verbatim"
    if " ".join(value.split()) in folded:
        return "folded"
    return "in a cell" if in_a_cell(value, lines) else None


def faults_of(record):
    """What is wrong with one gold record, and how its values stand in the document."""
    stands, faults = Counter(), []
    text = text_of(SAMPLES / record["document"])
    folded, lines = " ".join(text.split()), text.splitlines()
    names = NAMES[record["workflow"]]
    if record["status"] not in ("completed", "needs-review") or not record["traps"]:
        faults.append("needs a status and at least one trap")
    unsettled = False
    for field in record["fields"]:
        name, group, normalized = field["name"], field.get("group"), field["normalized"]
        label = f"{group or 'document'}[{field.get('index', '-')}].{name} `{field['value']}`"
        allowed = names.get(group, "").split() + (ENVELOPE.split() if group is None else [])
        if name not in allowed:
            faults.append(f"{label}: unknown name")
        if how := how_it_stands(field["value"], text, folded, lines):
            stands[how] += 1
        else:
            faults.append(f"{label}: not in the document")
        code = code_of(name)
        unsettled |= normalized is None
        if code and normalized is not None and not re.fullmatch(code, normalized):
            faults.append(f"{label}: normalised `{normalized}` is not one of {code}")
    for group in {field.get("group") for field in record["fields"]} - {None}:
        found = {field["index"] for field in record["fields"] if field.get("group") == group}
        if found != set(range(1, len(found) + 1)):
            faults.append(f"{group}: indices have gaps")
    keys = Counter((field["name"], field.get("group"), field.get("index")) for field in record["fields"])
    faults += [f"{key}: given twice" for key, count in keys.items() if count > 1]
    if unsettled and record["status"] != "needs-review":
        faults.append("an unsettled value needs the status needs-review")
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
