"""A landscape amendment table over two pages (fpdf2, DejaVu): section number and title in separate columns, cells up to four lines."""

from kit import Sheet

HEAD = ["Sec.", "Section title", "What changes (new text)", "Old text", "Why"]
ROWS = [
    ("1.1", "Synopsis", "Primary endpoint assessed at Week 24.", "Primary endpoint assessed at Week 16.", "See section 3."),
    ("3", "Objectives, Endpoints and Estimands", "The primary endpoint is the change from baseline in forced vital capacity at Week 24; "
     "the Week 16 assessment becomes a secondary endpoint.", "The primary endpoint is the change from baseline in forced vital capacity at "
     "Week 16.", "Scientific advice of the agency of November 2025: a longer observation is needed for a chronic disease."),
    ("4.1", "Overall Design", "Treatment period of 24 weeks, follow-up of 4 weeks; the maximum duration for a participant is 32 weeks.",
     "Treatment period of 16 weeks, follow-up of 4 weeks; the maximum duration for a participant is 24 weeks.", "Follows from section 3."),
    ("5.2", "Exclusion Criteria", "11. eGFR ≤ 30 mL/min/1.73m² at screening.", "11. eGFR ≤ 45 mL/min/1.73m² at screening.",
     "Renal excretion is < 10 %; the stricter limit is not justified."),
    ("6.1", "Study Interventions Administered", "Placebo or KPLB-9 400 µg inhaled twice daily for 24 weeks.",
     "Placebo or KPLB-9 400 µg inhaled twice daily for 16 weeks.", "Follows from section 3."),
    ("8.2.1", "Pulmonary Function", "Spirometry at Weeks 4, 8, 16 and 24; at each visit three acceptable manoeuvres of which two repeatable within "
     "150 mL are needed.", "Spirometry at Weeks 4, 8 and 16.", "New visit; wording of quality criteria as used by the central reader."),
    ("8.4.6", "Adverse Events of Special Interest", "Paradoxical bronchospasm within 30 minutes after inhalation is added.",
     "(none)", "Class effect."),
    ("9.2", "Sample Size", "With 24 weeks, 150 participants per arm give 90 % power (two-sided α = 0.05; drop-out 12 %).",
     "150 participants per arm give 90 % power (drop-out 10 %).", "Recalculated; the number stays the same."),
]


def furniture(pdf, part):
    pdf.set_font("DejaVu", "", 7)
    if part == "header":
        pdf.cell(138, 4, "I7Q-ZX-KPLB(c)  ·  Protocol amendment (c)  ·  Approved 18 December 2025")
        pdf.cell(138, 4, "Specimen & Sons Pharma", align="R", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    else:
        pdf.set_y(-12)
        pdf.cell(0, 4, f"Page {pdf.page_no()} of {{nb}}", align="R")


def facts(pdf):
    for name, value in (
        ("Protocol", "I7Q-ZX-KPLB(c), version 4, 22 December 2025"), ("Amendment", "(c) – third"),
        ("Global / local", "Global"), ("Participants enrolled when approved", "74 % of all cohorts together"),
        ("Primary reason", "Regulatory agency request"), ("Other reasons", "Protocol design error (exclusion 11)"),
        ("Substantial for safety?", "No"), ("Substantial for reliability of data?", "Yes – the primary endpoint changes"),
        ("New consent needed?", "Yes, all active participants"),
    ):
        pdf.set_font("DejaVu", "B", 9)
        pdf.cell(70, 6, name)
        pdf.set_font("DejaVu", "", 9)
        pdf.cell(0, 6, value, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)


def build(out):
    pdf = Sheet(furniture, orientation="L", unicode=True)
    pdf.add_page()
    facts(pdf)
    pdf.set_font("DejaVu", "", 8)
    with pdf.table(col_widths=(14, 44, 84, 72, 62), line_height=5, text_align="LEFT", padding=1.5) as table:
        table.row(HEAD)
        for row in ROWS:
            table.row(list(row))
    pdf.output(str(out))
