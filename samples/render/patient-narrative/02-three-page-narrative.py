"""A three-page narrative in Times with running header, a laboratory table and a medication table inside the text."""

from reportlab.platypus import PageBreak, Spacer

from kit import A4, GRID, flow, p, t

LABS = [
    ["Date (day)", "ALT, U/L (<=34)", "AST, U/L (<=31)", "Total bilirubin, umol/L (<=21)", "INR (<=1.2)"],
    ["03-Nov-2025 (-1)", "22", "19", "9", "1.0"],
    ["01-Dec-2025 (28)", "61", "48", "11", "1.0"],
    ["29-Dec-2025 (56)", "412", "367", "38", "1.1"],
    ["05-Jan-2026 (63)", "688", "590", "71", "1.4"],
    ["26-Jan-2026 (84)", "94", "60", "22", "1.0"],
    ["23-Feb-2026 (112)", "30", "27", "12", "1.0"],
]
MEDS = [
    ["Drug", "Dose", "Route", "Frequency", "Start", "Stop", "Reason"],
    ["acetylcysteine", "150 mg/kg", "intravenous", "once", "30-Dec-2025", "30-Dec-2025", "raised transaminases"],
    ["ursodeoxycholic acid", "500 mg", "oral", "twice daily", "31-Dec-2025", "23-Feb-2026", "cholestasis"],
]
TEXT = {
    "Background": "Subject 305-2219 is a 44-year-old Asian male who took part in study MKV-330-RA-2 (site 305) for rheumatoid "
    "arthritis. Past medical history comprised latent tuberculosis treated in 2011, dyslipidaemia and cholecystectomy. He had no "
    "history of viral hepatitis and denied alcohol misuse. A maternal uncle had liver cirrhosis of unknown cause. Concomitant "
    "medication at study entry was methotrexate 15 mg once weekly and folic acid.",
    "Exposure": "MKV-330, 50 mg orally once daily, was first taken on 04-Nov-2025 and last taken on 29-Dec-2025 (study day 56).",
    "Course": "At the Week 4 visit (01-Dec-2025, study day 28) ALT was 61 U/L; the subject felt well and dosing continued. At the "
    "Week 8 visit (29-Dec-2025, study day 56) he reported fatigue and dark urine for three days. ALT was 412 U/L. Study drug and "
    "methotrexate were stopped and he was admitted on 30-Dec-2025. Hepatitis A, B, C and E serology was negative and ultrasound "
    "showed no biliary obstruction. There was no encephalopathy at any time. The event of severe drug-induced liver injury, with "
    "onset on 29-Dec-2025, was reported as serious.",
    "Later course": "Transaminases peaked on 05-Jan-2026 and fell thereafter. A second, non-serious event of mild pruritus began on "
    "06-Jan-2026; it resolved on 20-Jan-2026 without treatment. He left hospital on 09-Jan-2026. The drug-induced liver injury "
    "resolved on 23-Feb-2026. Liver biopsy was offered but declined.",
    "Assessment": "The investigator judged the drug-induced liver injury to be probably related to MKV-330 and the pruritus to be "
    "possibly related. The sponsor's hepatic panel regarded methotrexate as a potential contributor. Had jaundice persisted, "
    "evaluation for transplantation would have been requested.",
}


def furniture(c, page, pages):
    c.setFont("Times-Roman", 8)
    c.drawString(70, 806, "Mockingvale Biosciences Ltd.")
    c.drawCentredString(298, 806, "MKV-330-RA-2  Clinical Study Report")
    c.drawRightString(525, 806, "FINAL 12-Mar-2026")
    c.line(70, 800, 525, 800)
    c.drawCentredString(298, 36, f"Appendix 16.3.2     Page {page} of {pages}")


def build(out):
    def heading(text):
        return p(text, 11, "Times-Bold", before=10)

    def body(text):
        return p(text, 10.5, "Times-Roman", lead=14, align=4)

    story = [
        p("Narrative: MKV-330-RA-2 / Subject 305-2219", 13, "Times-Bold", after=8),
        t([["Event(s)", "Drug-induced liver injury; pruritus"], ["Demographics", "Male, Asian, 44 years"],
           ["Why a narrative", "Serious adverse event; Hy's law laboratory criteria met"]], [110, 340], 9.5, "Times-Roman", rules=GRID),
        heading("Background"), body(TEXT["Background"]), heading("Exposure"), body(TEXT["Exposure"]),
        heading("Course"), body(TEXT["Course"]), PageBreak(),
        heading("Table 1   Liver tests"), t(LABS, [95, 85, 85, 110, 75], 9, "Times-Roman", "Times-Bold", GRID), Spacer(1, 8),
        heading("Later course"), body(TEXT["Later course"]),
        heading("Table 2   Medication given for the events"),
        t(MEDS, [90, 52, 60, 60, 62, 62, 70], 8.5, "Times-Roman", "Times-Bold", GRID), PageBreak(),
        heading("Assessment"), body(TEXT["Assessment"]),
    ]
    flow(out, story, furniture, "Narrative 305-2219", A4, (70, 70, 60, 60))
