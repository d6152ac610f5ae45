"""A boxed suspect-adverse-reaction form: numbered cells, ticks drawn as lines, narrative on a continuation page."""

from reportlab.lib.utils import simpleSplit

from kit import A4, box, numbered

WIDE, TALL = A4
CELLS = [  # x, y from top, width, height, caption, text
    (40, 70, 150, 34, "1. PATIENT INITIALS / NO.", "X-Y / 2107-118"),
    (190, 70, 70, 34, "1a. COUNTRY", "NETHERLANDS"),
    (260, 70, 70, 34, "2a. AGE Years", "64"),
    (330, 70, 60, 34, "3. SEX", "Male"),
    (390, 70, 165, 34, "4-6. REACTION ONSET  Day   Month   Year", "                      02       FEB       2026"),
    (40, 104, 350, 92, "7 + 13. DESCRIBE REACTION(S) (including relevant tests/lab data)", None),
    (40, 196, 350, 30, "7a. REACTION TERM AS REPORTED", "Acute pancreatitis"),
    (40, 226, 175, 30, "7b. OUTCOME", "Recovered with sequelae"),
    (215, 226, 175, 30, "7c. DATE REACTION ABATED", "16 FEB 2026"),
    (40, 276, 350, 34, "14. SUSPECT DRUG(S) (include generic name)", "FIC-221 (blinded; unblinded by sponsor 04 FEB 2026)"),
    (390, 276, 165, 34, "20. DID REACTION ABATE AFTER STOPPING DRUG?", None),
    (40, 310, 175, 34, "15. DAILY DOSE(S)", "40 mg once daily"),
    (215, 310, 175, 34, "16. ROUTE(S) OF ADMINISTRATION", "subcutaneous"),
    (390, 310, 165, 34, "21. DID REACTION REAPPEAR AFTER REINTRODUCTION?", None),
    (40, 344, 350, 34, "17. INDICATION(S) FOR USE", "Hypertriglyceridaemia"),
    (390, 344, 165, 34, "16a. LOT NO.", "FX25-0093"),
    (40, 378, 175, 34, "18. THERAPY DATES (from/to)", "11 NOV 2025 / 02 FEB 2026"),
    (215, 378, 340, 34, "19. THERAPY DURATION", "84 days"),
    (40, 432, 515, 46, "22. CONCOMITANT DRUG(S) AND DATES OF ADMINISTRATION (exclude those used to treat reaction)", None),
    (40, 478, 515, 46, "23. OTHER RELEVANT HISTORY (e.g. diagnostics, allergies)", None),
    (40, 544, 260, 44, "24a. NAME AND ADDRESS OF SPONSOR", None),
    (300, 544, 255, 44, "24b. SPONSOR CONTROL NO.", "FICTIVA-2026-000417"),
    (40, 588, 130, 40, "24c. DATE RECEIVED BY SPONSOR", "04 FEB 2026"),
    (170, 588, 130, 40, "DATE OF THIS REPORT", "19 FEB 2026"),
    (300, 588, 255, 40, "25a. REPORT TYPE", None),
    (40, 628, 260, 40, "26. INVESTIGATOR", "Dr. Jan Jansen, sub-investigator"),
    (300, 628, 255, 40, "27. CAUSALITY (investigator)", "Probable"),
]
DESCRIPTION = (
    "Severe epigastric pain radiating to the back, vomiting x4. Lipase 1,840 U/L (ULN 60). CT: interstitial oedematous "
    "pancreatitis, no necrosis, no gallstones. (continued on page 2)"
)
NARRATIVE = [
    "7 + 13 (continued). This 64-year-old man, study FIC221-LIP-203, site 2107, was randomised on 11 NOV 2025. On 02 FEB 2026, "
    "Day 84, he awoke with severe epigastric pain. He had not consumed alcohol and there was no history of pancreatitis. "
    "Lipase 1,840 U/L, triglycerides 21.4 mmol/L, calcium 1.98 mmol/L. He was admitted the same day and kept nil by mouth.",
    "Intravenous fluids and morphine 5 mg IV were given. The drug was permanently discontinued on the day of admission. "
    "Sepsis was ruled out. He was never ventilated and the event was not considered life-threatening. By 16 FEB 2026 the pain "
    "had gone; an exocrine insufficiency requiring enzyme replacement remained and is regarded as the sequela.",
    "23 (continued). A brother was treated for alcohol-related pancreatitis. The patient has known gout (2019) and "
    "hyperlipidaemia type IV. No known drug allergies.",
]


def furniture(c, page, pages):
    c.setFont("Helvetica-Bold", 11)
    c.drawString(40, TALL - 36, "SUSPECT ADVERSE REACTION REPORT")
    c.setFont("Helvetica", 7)
    c.drawRightString(555, TALL - 36, "Study: FIC221-LIP-203   Control no. FICTIVA-2026-000417")
    c.drawString(40, 24, "Fictiva Biologics BV - Safety - form SAR-1 rev. 7")
    c.drawRightString(555, 24, f"Page {page} of {pages}")


def paragraph(c, text, x, y, width, size=8.5):
    c.setFont("Helvetica", size)
    for line in simpleSplit(text, "Helvetica", size, width):
        c.drawString(x, y, line)
        y -= size * 1.3
    return y


def ticks(c, x, y, options):
    c.setFont("Helvetica", 7.5)
    for label, ticked in options:
        box(c, x, y, ticked, 7)
        c.drawString(x + 11, y + 0.5, label)
        x += 11 + c.stringWidth(label) + 12


def build(out):
    c = numbered(furniture)(str(out), pagesize=A4)
    c.setTitle("Suspect adverse reaction report")
    for x, top, width, height, caption, text in CELLS:
        c.rect(x, TALL - top - height, width, height)
        c.setFont("Helvetica", 5.6)
        c.drawString(x + 3, TALL - top - 8, caption)
        if text:
            c.setFont("Helvetica", 9)
            c.drawString(x + 5, TALL - top - height + 8, text)
    for top, title in ((64, "I. REACTION INFORMATION"), (270, "II. SUSPECT DRUG(S) INFORMATION"),
                       (426, "III. CONCOMITANT DRUG(S) AND HISTORY"), (538, "IV. SPONSOR INFORMATION")):
        c.setFont("Helvetica-Bold", 7)
        c.drawCentredString(WIDE / 2, TALL - top, title)
    paragraph(c, DESCRIPTION, 45, TALL - 124, 340)
    c.rect(390, TALL - 256, 165, 152)
    c.setFont("Helvetica", 5.6)
    c.drawString(393, TALL - 112, "8-12. CHECK ALL APPROPRIATE TO ADVERSE REACTION")
    c.setFont("Helvetica", 7.5)
    for row, (label, ticked) in enumerate((
        ("PATIENT DIED", False), ("INVOLVED OR PROLONGED INPATIENT HOSPITALISATION", True),
        ("INVOLVED PERSISTENCE OR SIGNIFICANT DISABILITY", False), ("LIFE THREATENING", False),
        ("CONGENITAL ANOMALY", False), ("OTHER MEDICALLY IMPORTANT CONDITION", True),
    )):
        y = TALL - 132 - 20 * row
        box(c, 396, y, ticked)
        c.setFont("Helvetica", 5)
        c.drawString(408, y + 2, label)
    ticks(c, 396, TALL - 304, (("YES", True), ("NO", False), ("NA", False)))
    ticks(c, 396, TALL - 338, (("YES", False), ("NO", False), ("NA", True)))
    paragraph(c, "allopurinol 300 mg daily (2019 - ongoing); fenofibrate 145 mg daily (2021 - ongoing)", 45, TALL - 456, 500)
    paragraph(c, "Gout (2019), hyperlipidaemia type IV. No known drug allergies. See continuation page.", 45, TALL - 502, 500)
    paragraph(c, "Fictiva Biologics BV, Voorbeeldstraat 1, 0000 XX Nergenshuizen", 45, TALL - 566, 250)
    ticks(c, 305, TALL - 614, (("INITIAL", True), ("FOLLOWUP", False), ("FINAL", False)))
    c.showPage()
    y = TALL - 80
    for text in NARRATIVE:
        y = paragraph(c, text, 50, y, 495, 9.5) - 8
    c.showPage()
    c.save()
