"""A central-laboratory report drawn column by column: in content order all names come first, then all results, and so on."""

from kit import A4, numbered

TALL = A4[1]
COLUMNS = [  # x, heading, cells
    (56, "Analyte", ["Leukocytes", "Erythrocytes", "Haemoglobin", "Haematocrit", "MCV", "Thrombocytes", "Neutrophils, abs.", "Eosinophils, abs.",
                     "Sodium", "Potassium", "Calcium", "Creatinine", "Urea", "ALAT", "ASAT", "Gamma-GT", "CRP", "TSH"]),
    (200, "Value", ["6.4", "4.71", "142", "0.42", "89", "231", "3.8", "0.61", "141", "4.4", "2.31", "97", "5.9", "28", "24", "71", "<0.6", "2.14"]),
    (255, "", ["", "", "", "", "", "", "", "H", "", "", "", "", "", "", "", "H", "", ""]),
    (290, "Unit", ["10^9/L", "10^12/L", "g/L", "L/L", "fL", "10^9/L", "10^9/L", "10^9/L", "mmol/L", "mmol/L", "mmol/L", "umol/L", "mmol/L", "U/L",
                   "U/L", "U/L", "mg/L", "mIU/L"]),
    (360, "Low", ["4.0", "4.30", "135", "0.40", "80", "150", "1.8", "0.02", "136", "3.5", "2.15", "62", "2.8", "", "", "", "", "0.27"]),
    (410, "High", ["10.0", "5.70", "172", "0.50", "98", "400", "7.5", "0.50", "145", "5.1", "2.50", "106", "8.1", "50", "50", "60", "5.0", "4.20"]),
]
FACTS = [
    ("Study", "TBV5-MS-3011"), ("Investigator site", "US-077"), ("Subject", "US-077-0131"), ("Visit", "Week 12"),
    ("Accession", "FX-88120-07"), ("Drawn", "14-Jan-2026 07:50"), ("Arrived", "15-Jan-2026 10:20"), ("Released", "15-Jan-2026 16:05"),
    ("Material", "Serum / EDTA blood"), ("Fasted", "No"),
]


def furniture(c, page, pages):
    c.setFont("Helvetica-Bold", 14)
    c.drawString(56, TALL - 50, "Fauxbridge Central Laboratory")
    c.setFont("Helvetica", 7)
    c.drawString(56, 30, "Ranges apply to adult males. Results relate only to the specimen received.")
    c.drawRightString(540, 30, f"Page {page} of {pages}")


def build(out):
    c = numbered(furniture)(str(out), pagesize=A4)
    c.setTitle("Laboratory report FX-88120-07")
    for part, x in ((0, 56), (1, 150)):
        for number, fact in enumerate(FACTS[:5]):
            c.setFont("Helvetica" if part else "Helvetica-Oblique", 9)
            c.drawString(x, TALL - 80 - 13 * number, fact[part])
    for part, x in ((0, 310), (1, 380)):
        for number, fact in enumerate(FACTS[5:]):
            c.setFont("Helvetica" if part else "Helvetica-Oblique", 9)
            c.drawString(x, TALL - 80 - 13 * number, fact[part])
    for x, heading, cells in COLUMNS:
        c.setFont("Helvetica-Bold", 9)
        c.drawString(x, TALL - 175, heading)
        c.setFont("Helvetica", 9)
        for number, text in enumerate(cells):
            c.drawString(x, TALL - 195 - 16 * number, text)
    for number in range(len(COLUMNS[0][2]) + 1):
        c.line(52, TALL - 184 - 16 * number, 540, TALL - 184 - 16 * number)
    c.showPage()
    c.save()
