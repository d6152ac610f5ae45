"""A two-page private-laboratory report: abnormal results only in bold, raised exponents, target tables as decoys, doctors' names below."""

from reportlab.platypus import PageBreak, Spacer

from kit import A4, GRID, colors, flow, p, t

G = "10<super rise=3 size=6>9</super>/L"
T = "10<super rise=3 size=6>12</super>/L"
BLOOD = [
    ("Haemoglobin", "<b>118</b>", "g/L", "120 - 150"), ("Packed cell volume", "0.37", "L/L", "0.36 - 0.46"), ("RBC count", "4.12", T, "3.80 - 4.80"),
    ("Total leucocyte count", "8.00", G, "4.00 - 10.00"), ("Neutrophils", "60", "%", "40 - 80"), ("Neutrophils", "4.80", G, "2.00 - 7.00"),
    ("Platelet count", "<b>135</b>", G, "150 - 410"),
]
CHEMISTRY = [
    ("Creatinine", "<b>101</b>", "µmol/L", "45 - 84"), ("GFR estimated", "<b>58</b>", "mL/min/1.73m²", "> 59"), ("GFR category", "G3a", "", ""),
    ("Glucose, fasting", "5.4", "mmol/L", "3.9 - 5.5"), ("HbA1c", "5.6", "%", "4.0 - 5.6"), ("Cholesterol, total", "<b>6.31</b>", "mmol/L", "< 5.18"),
    ("LDL cholesterol, direct", "<b>4.02</b>", "mmol/L", "< 2.59"), ("25-OH vitamin D", "<b>31</b>", "nmol/L", "75 - 250"),
    ("BUN/creatinine ratio", "10", "", ""),
]
TARGETS = [["Risk group", "LDL goal, mmol/L", "Non-HDL goal, mmol/L"], ["Very high", "< 1.30", "< 2.07"], ["High", "< 1.81", "< 2.59"],
           ["Moderate", "< 2.59", "< 3.37"]]
DIABETES = [["HbA1c", "Reading"], ["5.7 - 6.4 %", "at risk of diabetes"], [">= 6.5 %", "diabetes"]]


def furniture(c, page, pages):
    c.setFont("Helvetica-Bold", 13)
    c.drawString(48, 800, "Sample Street Diagnostics")
    c.setFont("Helvetica", 8)
    for number, line in enumerate((
        "Name: subject 31-1031 (F, 58 y)     Study: NUL-9052-203(a)     Centre: 31     Ref. by: Dr. Ola Nordmann",
        "Lab no.: 700231188     Collected: 23/1/2026 8:05 AM     Received: 23/1/2026 8:31 AM     Reported: 24/1/2026 5:10 PM",
        "Sample: whole blood EDTA, serum     Fasting sample: Yes     Report status: Final",
    )):
        c.drawString(48, 784 - 11 * number, line)
    c.line(48, 756, 547, 756)
    c.setFont("Helvetica-Oblique", 7)
    c.drawString(48, 44, "Dr. Petra Svensson, MD, Head Biochemistry          Dr. Mario Rossi, MD, Consultant Haematologist")
    c.drawRightString(547, 32, f"Page {page} of {pages}")


def build(out):
    head = ["Test name", "Result", "Units", "Biological ref. interval"]
    widths, line = [190, 80, 100, 129], [("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.black)]
    story = [
        p("COMPLETE BLOOD COUNT", 10, "Helvetica-Bold", after=4, align=1),
        t([head, *map(list, BLOOD)], widths, 9, head="Helvetica-Bold", rules=line),
        p("Note: 1. Bold results are outside the biological reference interval. 2. Platelet count below 100 should be checked on a film.", 8, before=10),
        PageBreak(),
        p("BIOCHEMISTRY AND LIPIDS", 10, "Helvetica-Bold", after=4, align=1),
        t([head, *map(list, CHEMISTRY)], widths, 9, head="Helvetica-Bold", rules=line), Spacer(1, 14),
        p("Treatment goals as per guideline", 9, "Helvetica-Bold"), t(TARGETS, [120, 110, 130], 8, head="Helvetica-Bold", rules=GRID), Spacer(1, 8),
        p("Interpretation of HbA1c", 9, "Helvetica-Bold"), t(DIABETES, [120, 240], 8, head="Helvetica-Bold", rules=GRID),
    ]
    flow(out, story, furniture, "Laboratory report 700231188", A4, (48, 48, 98, 70))
