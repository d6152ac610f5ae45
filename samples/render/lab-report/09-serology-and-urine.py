"""A three-page report (fpdf2): serology, drug level and urinalysis in sections of different columns; text results; no ranges in places."""

from kit import Sheet

SEROLOGY = [["Assay", "Finding", "Cut-off"], ["HIV-1/2 Ag/Ab combo", "Non-reactive", ""], ["HBsAg", "Non-reactive", ""],
            ["Anti-HBs", "412 mIU/mL", ">= 10 = immune"], ["Anti-HBc total", "Reactive *", ""], ["Varicella zoster IgG", "1,870 mIU/mL", ""],
            ["QuantiFERON-like IGRA", "Indeterminate *", ""]]
LEVELS = [["Determination", "Value", "Unit", "Range", "Fl"], ["Tacrolimus trough", "9.4", "ng/mL", "5.0 to 15.0", ""],
          ["Vancomycin trough", "21.8", "mcg/mL", "10.0 to 20.0", "H"], ["Insulin, fasting", "5.1", "uIU/mL", "2.6 to 24.9", ""],
          ["hCG, quantitative", "<1", "mIU/mL", "0 to 5", ""], ["Folate", ">20.0", "ng/mL", "> 3.0", ""],
          ["Magnesium", "1.4", "mEq/L", "1.3 to 2.1", ""], ["IgE, total", "2,310", "kU/L", "0 to 100", "H"]]
URINE = [["Colour", "amber", "yellow"], ["Specific gravity", "1.024", "1.005 to 1.030"], ["pH", "5.5", "5.0 to 8.0"], ["Protein", "2+", "negative"],
         ["Glucose", "negative", "negative"], ["Nitrite", "positive", "negative"], ["WBC", "TNTC", "0 to 5 /HPF"], ["RBC", "3", "0 to 2 /HPF"],
         ["Bacteria", "many", "none"], ["Casts", "none seen", "none"]]


def furniture(pdf, part):
    if part == "header":
        pdf.set_font("Courier", "B", 11)
        pdf.cell(0, 5, "NOWHERE UNIVERSITY  DEPARTMENT OF LABORATORY MEDICINE", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Courier", "", 8)
        for line in ("Participant NO05-0034   Study No. I7Q-ZX-KPLB   Site NO-05      Accession 26-044-1187",
                     "Collected 13 FEB 2026 07:10   Received 13 FEB 2026 07:48   Reported 16 FEB 2026 14:02   Fasting: yes",
                     "Specimen: serum; whole blood EDTA; urine, midstream"):
            pdf.cell(0, 4, line, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(4)
    else:
        pdf.set_y(-12)
        pdf.set_font("Courier", "", 7)
        pdf.cell(0, 4, f"26-044-1187   page {pdf.page_no()} of {{nb}}   * = abnormal, see comment", align="C")


def section(pdf, title, rows, widths, headed):
    pdf.set_font("Courier", "B", 10)
    pdf.cell(0, 8, title, new_x="LMARGIN", new_y="NEXT")
    for number, row in enumerate(rows):
        pdf.set_font("Courier", "B" if headed and number == 0 else "", 9)
        for width, text in zip(widths, row):
            pdf.cell(width, 6, text)
        pdf.ln(6)
    pdf.ln(3)


def build(out):
    pdf = Sheet(furniture)
    pdf.add_page()
    section(pdf, "INFECTIOUS DISEASE SEROLOGY", SEROLOGY, (62, 52, 60), True)
    pdf.set_font("Courier", "", 8)
    pdf.multi_cell(0, 4.5, "Comment: anti-HBc reactive with anti-HBs 412 mIU/mL suggests past, resolved infection. There is no evidence of current "
                   "hepatitis B. IGRA: mitogen response 0.31 IU/mL (needs > 0.50), please repeat.")
    pdf.add_page()
    section(pdf, "LEVELS, HORMONES, OTHER", LEVELS, (58, 28, 28, 40, 12), True)
    pdf.add_page()
    section(pdf, "URINALYSIS (dipstick and sediment)", URINE, (58, 40, 60), False)
    pdf.set_font("Courier", "", 8)
    pdf.multi_cell(0, 4.5, "Comment: TNTC = too numerous to count. Culture to follow (separate report). Reference for sediment per high-power field.")
    pdf.output(str(out))
