"""A two-page safety report of a combination study (fpdf2): one card per event, two suspect drugs with their own actions."""

from kit import Sheet

EVENTS = [
    ("Event 1", [("Term", "immune-mediated colitis"), ("Start / stop", "2026-01-28  /  2026-02-20"), ("Toxicity", "G3"),
                 ("Serious", "Y - inpatient hospitalisation prolonged"), ("Result", "resolved"),
                 ("Investigator's causality", "related"), ("Measure with study treatment", "permanently withdrawn (both agents)")]),
    ("Event 2", [("Term", "hypokalaemia"), ("Start / stop", "2026-01-30  /  2026-02-03"), ("Toxicity", "G2"), ("Serious", "N"),
                 ("Result", "resolved"), ("Investigator's causality", "unlikely"),
                 ("Measure with study treatment", "not applicable (already withdrawn)")]),
    ("Event 3", [("Term", "adrenal insufficiency"), ("Start / stop", "2026-02-11  /  -"), ("Toxicity", "G2"),
                 ("Serious", "Y - medically important"), ("Result", "ongoing"),
                 ("Investigator's causality", "probably related"), ("Measure with study treatment", "not applicable (already withdrawn)")]),
]
DRUGS = [
    ["Agent", "Dose", "Via", "How often", "First", "Last", "Batch"],
    ["solimab-X (NUL-7010)", "240 mg", "i.v.", "q2w", "2025-11-19", "2026-01-14", "7010/25/08"],
    ["tarcinib (NUL-88)", "60 mg", "p.o.", "q12h", "2025-11-19", "2026-01-28", "88-K-140"],
]
NARRATIVE = (
    "Loose stools, 8 per day over baseline, without blood, began on 2026-01-28 while the subject was already in hospital for "
    "port implantation; the stay was prolonged to 2026-02-06. C. difficile toxin negative, CMV PCR negative, no perforation "
    "on CT. Sigmoidoscopy: diffuse erythema. Methylprednisolone 1 mg/kg i.v. daily, then prednisone taper. Potassium fell to "
    "2.9 mmol/L and was replaced. On 2026-02-11 morning cortisol 38 nmol/L, ACTH low; hydrocortisone replacement started and "
    "will be needed for life. There was no hypophysitis on MRI. Her aunt has Crohn disease; the subject never had inflammatory "
    "bowel disease. If diarrhoea recurs during the taper, infliximab is to be considered."
)


def furniture(pdf, part):
    if part == "header":
        pdf.set_font("Times", "I", 9)
        pdf.cell(0, 5, "Nullarion Biologics S.L. - Farmacovigilancia", align="L")
        pdf.set_xy(10, 10)
        pdf.cell(0, 5, "Ref. NB-SAE-2026-0031 v1", align="R")
        pdf.ln(9)
    else:
        pdf.set_y(-14)
        pdf.set_font("Times", "I", 8)
        pdf.cell(0, 5, f"Page {pdf.page_no()} of {{nb}}   -   contains personal health information", align="C")


def build(out):
    pdf = Sheet(furniture)
    pdf.add_page()
    pdf.set_font("Times", "B", 15)
    pdf.cell(0, 9, "Report of adverse events under combination treatment", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Times", "", 10)
    for line in ("Trial identifier NUL-COMBO-12     Hospital site ES-118     Patient code ES118-P07",
                 "Patient: F, 59 years     Diagnosis: advanced renal cell carcinoma     Prepared on 2026-02-21 (initial report)"):
        pdf.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    for title, rows in EVENTS:
        pdf.ln(3)
        pdf.set_fill_color(228, 232, 240)
        pdf.set_font("Times", "B", 11)
        pdf.cell(0, 7, title, fill=True, new_x="LMARGIN", new_y="NEXT")
        for name, value in rows:
            pdf.set_font("Times", "I", 10)
            pdf.cell(58, 6, name)
            pdf.set_font("Times", "", 10)
            pdf.cell(0, 6, value, new_x="LMARGIN", new_y="NEXT")
    pdf.add_page()
    pdf.set_font("Times", "B", 11)
    pdf.cell(0, 8, "Study treatment", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Times", "", 9)
    with pdf.table(col_widths=(42, 18, 14, 20, 26, 26, 26), line_height=6, text_align="LEFT") as table:
        for row in DRUGS:
            table.row(row)
    pdf.ln(4)
    pdf.set_font("Times", "B", 11)
    pdf.cell(0, 8, "Other medication: levothyroxine 50 mcg, enoxaparin 40 mg s.c. (prophylactic)", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Times", "", 10)
    pdf.multi_cell(0, 5.5, NARRATIVE)
    pdf.ln(8)
    pdf.cell(0, 6, "Dr. Juan Pérez Ejemplo, Investigador Principal          Firma: (signed)          2026-02-21")
    pdf.output(str(out))
