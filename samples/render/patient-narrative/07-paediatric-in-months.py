"""A paediatric narrative (fpdf2): age in months, weight-based doses, parents as informants, growth table between paragraphs."""

from kit import Sheet

PARTS = [
    ("Who", "The patient is a 23-month-old boy (race: multiple, White and Asian as reported by the parents) with spinal muscular "
     "atrophy type 2. He weighs 11.2 kg. He was born at 36 weeks and had neonatal jaundice treated with phototherapy; febrile "
     "seizure once in August 2025. His mother has asthma and his older sister had a viral cold in the week before the event."),
    ("Study drug", "NUL-SMA-3 syrup, 0.25 mg/kg by mouth once daily, since 15 Sep 2025 (trial NUL-SMA3-06, centre CH-02)."),
    ("What happened", "In the night of 9 to 10 Jan 2026 he developed a barking cough and inspiratory stridor. The parents gave "
     "ibuprofen. He was seen in the emergency room at 03:20 on 10 Jan 2026 and admitted. There was no drooling and no foreign body "
     "on the film; epiglottitis was ruled out. Oxygen saturation was 93 % on room air."),
    ("Treatment", "Dexamethasone 0.6 mg/kg by mouth once and nebulised epinephrine 5 mg, repeated after 40 minutes. No antibiotics "
     "were given. Intubation was not required but would have been done in case of exhaustion."),
    ("End", "Croup, of moderate intensity, resolved on 12 Jan 2026, the day he went home. On 11 Jan 2026 mild oral candidiasis was "
     "seen at inspection of the mouth; it was still present (not resolved) at the telephone visit on 19 Jan 2026."),
    ("Opinion", "Croup: not related to NUL-SMA-3 (viral, sibling ill). Oral candidiasis: possibly related. Dosing went on unchanged."),
]
GROWTH = [["Visit", "Date", "Weight kg", "Length cm", "Drug volume mL"], ["Baseline", "15 Sep 2025", "10.1", "80.5", "2.5"],
          ["Month 2", "17 Nov 2025", "10.8", "82.0", "2.7"], ["Month 4", "14 Jan 2026", "11.2", "83.5", "2.8"]]


def furniture(pdf, part):
    pdf.set_font("Helvetica", "", 7)
    if part == "header":
        pdf.cell(95, 4, "NUL-SMA3-06")
        pdf.cell(95, 4, "Participant CH02-003", align="R", new_x="LMARGIN", new_y="NEXT")
        pdf.line(10, 15, 200, 15)
        pdf.ln(5)
    else:
        pdf.set_y(-12)
        pdf.cell(95, 4, "Narrative written 21 Jan 2026, M. Writer (medical writing)")
        pdf.cell(95, 4, f"p. {pdf.page_no()} of {{nb}}", align="R")


def build(out):
    pdf = Sheet(furniture)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 14)
    pdf.cell(0, 10, "Participant story: croup leading to admission", new_x="LMARGIN", new_y="NEXT")
    for number, (title, text) in enumerate(PARTS):
        if number == 3:
            pdf.add_page()
            pdf.set_font("Helvetica", "", 9)
            with pdf.table(col_widths=(30, 36, 30, 30, 40), line_height=6, text_align="CENTER", first_row_as_headings=True) as table:
                for row in GROWTH:
                    table.row(row)
            pdf.ln(4)
        pdf.set_font("Helvetica", "B", 10)
        pdf.cell(0, 7, title.upper(), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", "", 11)
        pdf.multi_cell(0, 6, text, align="L")
        pdf.ln(2)
    pdf.output(str(out))
