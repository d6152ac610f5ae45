"""The agreed field names of each workflow, the codes they normalise to, and whether one gold field keeps to them."""

import re

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
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
YES_NO = {"serious", "fasting", "reconsent_required", "substantial_safety_impact", "substantial_reliability_impact"}


def code_of(name):
    """The pattern which the normalised value of a field must match, or `None`."""
    if name in YES_NO or name.startswith("seriousness_"):
        return "Y" if name.startswith("seriousness_") else "Y|N"
    return DATE if name.endswith(("_date", "_at")) else CODES.get(name)


def number_fault(field):
    """Says so when the normalised number of a field is not the number written in it."""
    normalized = field["normalized"] or ""
    if field["name"] not in ("dose", "age", "result", "reference_low", "reference_high", "enrolment_percent"):
        return None
    written, number = (re.findall(r"\d+", text) for text in (field["value"], normalized))
    return None if "".join(number) in "".join(written) else f"`{normalized}` is not the number in `{field['value']}`"


def date_fault(field):
    """Says so when day or month of a normalised date are not those written in it."""
    date = re.match(r"\d{4}-(\d\d)(?:-(\d\d))?", field["normalized"] or "")
    if not date or code_of(field["name"]) != DATE:
        return None
    written = [int(number) for number in re.findall(r"\d+", field["value"])]
    month, day = int(date.group(1)), int(date.group(2) or 0)
    named = MONTHS[month - 1] in field["value"].lower() or month in written
    return None if named and (not day or day in written) else f"`{field['normalized']}` is not `{field['value']}`"


def field_faults(field, workflow):
    """What is wrong with the name or the normalised value of one gold field."""
    name, group, normalized = field["name"], field.get("group"), field["normalized"]
    if name not in NAMES[workflow].get(group, "").split() + (ENVELOPE.split() if group is None else []):
        yield "unknown name"
    code = code_of(name)
    if code and normalized is not None and not re.fullmatch(code, normalized):
        yield f"normalised `{normalized}` is not one of {code}"
    yield from filter(None, (number_fault(field), date_fault(field)))
