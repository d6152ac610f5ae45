"""A one-page report with two panels side by side, each a table of its own, and a comment box under the right one."""

from reportlab.lib.pagesizes import LETTER
from reportlab.platypus import Spacer, Table

from kit import GRID, colors, flow, p, t

LEFT = [
    ["HEMATOLOGY", "Result", "Units", "Ref. range"],
    ["WBC", "12.6 H", "x10E3/uL", "3.4-10.8"], ["RBC", "4.05", "x10E6/uL", "3.77-5.28"], ["Hemoglobin", "12.9", "g/dL", "11.1-15.9"],
    ["Hematocrit", "38.7", "%", "34.0-46.6"], ["Platelets", "402", "x10E3/uL", "150-450"], ["Neutrophils", "81 H", "%", "40-74"],
    ["Lymphs", "12 L", "%", "14-46"], ["Neutrophils (Absolute)", "10.2 H", "x10E3/uL", "1.4-7.0"], ["Lymphs (Absolute)", "1.5", "x10E3/uL", "0.7-3.1"],
]
RIGHT = [
    ["CHEMISTRY", "Result", "Units", "Ref. range"],
    ["Glucose", "94", "mg/dL", "70-99"], ["Albumin", "3.6 L", "g/dL", "3.9-4.9"], ["Alk Phos", "130 H", "IU/L", "44-121"],
    ["Lipase", "47", "U/L", "14-72"], ["hs-CRP", "18.4 H", "mg/L", "0.00-3.00"], ["Ferritin", "311 H", "ng/mL", "15-150"],
    ["Vitamin B12", ">2000 H", "pg/mL", "232-1245"], ["BUN/Creat ratio", "10", "", ""],
]


def furniture(c, page, pages):
    c.setFillColor(colors.HexColor("#7a1f3d"))
    c.setFont("Helvetica-Bold", 16)
    c.drawString(40, 750, "MockLab")
    c.setFillColor(colors.black)
    c.setFont("Helvetica", 8)
    c.drawString(120, 750, "MockLab Diagnostics of Sampletown, 555-0142")
    c.drawRightString(572, 750, f"Page {page} of {pages}")
    c.drawString(40, 24, "FINAL REPORT   MockLab Diagnostics   performed at ML01 unless noted")


def build(out):
    rules = [("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#f0e4e8")), ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.grey)]
    widths = [98, 50, 58, 52]
    panels = Table([[t(LEFT, widths, 8, rules=rules, head="Helvetica-Bold", plain=True),
                     t(RIGHT, widths, 8, rules=rules, head="Helvetica-Bold", plain=True)]], colWidths=[268, 264],
                   style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    story = [
        t([["Protocol ID: NUL-COMBO-12", "Subject No.: ES118-P07", "Site: ES-118"],
           ["Specimen ID: 028-ML-4471", "Specimen: Serum, whole blood", "Fasting: N"],
           ["Date collected: 28 Jan 2026 06:40", "Date received: 28 Jan 2026 08:55", "Date reported: 29 Jan 2026 07:10"]],
          [190, 190, 150], 8.5, rules=GRID),
        Spacer(1, 12), panels, Spacer(1, 10),
        p("Comment: B12 result exceeds the measuring range; not diluted. Neutrophil % and absolute count are both reported; "
          "treat the absolute count as the clinical value. LDL goal &lt;70 mg/dL for high-risk patients (no lipids ordered).", 8),
    ]
    flow(out, story, furniture, "MockLab report", LETTER, (40, 40, 64, 44))
