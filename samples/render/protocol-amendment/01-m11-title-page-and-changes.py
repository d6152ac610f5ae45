"""An amended protocol in the ICH M11 order: title page, amendment details, table of changes, contents page as a decoy."""

from reportlab.platypus import PageBreak, Spacer

from kit import A4, GRID, colors, flow, p, t

TITLE = [
    ["Full title", "A Randomised, Double-blind, Placebo-controlled Phase 3 Study of ABX-104 in Adults with Metastatic Urothelial Carcinoma"],
    ["Sponsor protocol identifier", "ABX-104-301"],
    ["Original protocol indicator", "No - this protocol has been amended"],
    ["Version number", "4.0"],
    ["Version date", "12-Jan-2026"],
    ["Amendment identifier", "Amendment 03"],
    ["Amendment scope", "Global"],
    ["Sponsor name and address", "Examplia Therapeutics, 1 Nowhere Lane, Examplia City"],
    ["Regulatory identifiers", "NCT00000000; EU CT 0000-000000-00-00; IND 000000"],
    ["Sponsor approval date", "05-Jan-2026"],
]
DETAILS = [
    ["Approximate number or percentage enrolled at time of sponsor approval", "62 % of planned participants, globally"],
    ["Primary reason for amendment", "New safety information"],
    ["Secondary reason", "Investigator/site feedback"],
    ["Is this amendment likely to have a substantial impact on the safety or rights of the participants?",
     "Yes. Additional neutrophil monitoring reduces the risk of febrile neutropenia."],
    ["Is this amendment likely to have a substantial impact on the reliability and robustness of the data?", "No"],
    ["Re-consent", "Participants on treatment must be re-consented at their next visit."],
]
CHANGES = [
    ["Section # and name", "Description of change", "Brief rationale for change"],
    ["1.3 Schedule of Activities", "Complete blood count added on Day 8 of Cycles 1 and 2.",
     "Neutrophil nadir was found to occur earlier than expected."],
    ["5.2 Exclusion Criteria", "Exclusion criterion 7 now excludes an absolute neutrophil count below 1.5 x10^9/L instead of below 1.0 x10^9/L.",
     "Lower baseline counts carried a higher risk of Grade 4 neutropenia."],
    ["6.6 Dose Modification", "Dose reduction from 150 mg BID to 100 mg BID is mandatory after febrile neutropenia.",
     "Recommendation of the data monitoring committee of 09-Dec-2025."],
    ["8.3.5 Pregnancy", "Contraception after the last dose extended from 30 to 90 days.", "Updated half-life data."],
    ["10.1 Laboratory Tests", "Duplicate listing of lipase removed.", "Site feedback; no change of procedure."],
]
CONTENTS = [("1", "Protocol Summary", 6), ("1.3", "Schedule of Activities", 9), ("5", "Study Population", 31), ("5.2", "Exclusion Criteria", 34),
            ("6.6", "Dose Modification", 45), ("8.3.5", "Pregnancy", 60), ("10.1", "Laboratory Tests", 77), ("12.3", "Prior Amendments", 90)]


def furniture(c, page, pages):
    c.setFont("Helvetica", 8)
    c.drawString(64, 812, "ABX-104-301")
    c.drawRightString(531, 812, "Amendment 03, Version 4.0")
    c.drawString(64, 30, "CONFIDENTIAL - Examplia Therapeutics")
    c.drawRightString(531, 30, f"Page {page} of {pages}")


def build(out):
    shade = [("BACKGROUND", (0, 0), (0, -1), colors.HexColor("#f1f1f1"))]
    story = [
        p("CLINICAL TRIAL PROTOCOL", 16, "Helvetica-Bold", before=20, after=14, align=1),
        t(TITLE, [150, 317], 9.5, rules=GRID + shade), PageBreak(),
        p("TABLE OF CONTENTS", 11, "Helvetica-Bold", after=8),
        *[p(f"{number} &nbsp; {name} {'.' * (70 - len(number + name))} {page}", 9) for number, name, page in CONTENTS], PageBreak(),
        p("AMENDMENT DETAILS", 11, "Helvetica-Bold", after=6), t(DETAILS, [230, 237], 9, rules=GRID), Spacer(1, 8),
        p("Amendment summary", 9.5, "Helvetica-Bold"),
        p("The amendment adds early neutrophil monitoring, tightens the neutrophil eligibility criterion and makes dose reduction "
          "after febrile neutropenia mandatory. It does not change endpoints, sample size or the statistical analysis.", 9.5),
        p("Overview of changes in the current amendment", 9.5, "Helvetica-Bold", before=8),
        t(CHANGES, [105, 200, 162], 9, head="Helvetica-Bold", rules=GRID, repeat=1),
        p("12.3 Prior amendments: Amendment 01 (Version 2.0, 03-Mar-2025, 11 % enrolled, recruitment difficulty); Amendment 02 (Version 3.0, "
          "18-Aug-2025, 37 % enrolled, inconsistency/error).", 9, before=10),
    ]
    flow(out, story, furniture, "Protocol ABX-104-301", A4, (64, 64, 60, 56))
