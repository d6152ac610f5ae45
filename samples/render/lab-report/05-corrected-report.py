"""A corrected report which replaces an earlier one: each changed row is followed by what was reported before."""

from kit import A4, colors, flow, p, t

ROWS = [
    ["Test", "Result", "", "Unit", "Reference interval", "Status"],
    ["Bilirubin, total", "71", "H", "umol/L", "< 21", "final"],
    ["Bilirubin, direct", "48", "H", "umol/L", "< 5", "final"],
    ["ALT", "688", "H", "U/L", "< 34", "CORRECTED"],
    ["previously reported as 68 on 05-Jan-2026 17:12; dilution factor omitted", "", "", "", "", ""],
    ["AST", "590", "H", "U/L", "< 31", "CORRECTED"],
    ["previously reported as 59 on 05-Jan-2026 17:12; dilution factor omitted", "", "", "", "", ""],
    ["Alkaline phosphatase", "201", "H", "U/L", "40 - 129", "final"],
    ["INR", "1.4", "H", "", "0.9 - 1.2", "final"],
    ["Hepatitis B surface antigen", "Non-reactive", "", "", "Non-reactive", "final"],
    ["Anti-HCV", "Non-reactive", "", "", "Non-reactive", "final"],
    ["HEV RNA", "not detected", "", "", "not detected", "added"],
]


def furniture(c, page, pages):
    c.saveState()
    c.setFillColor(colors.HexColor("#ececec"))
    c.setFont("Helvetica-Bold", 60)
    c.translate(300, 330)
    c.rotate(40)
    c.drawCentredString(0, 0, "CORRECTED")
    c.restoreState()
    c.setFont("Times-Bold", 12)
    c.drawString(60, 800, "Neverham Reference Laboratory")
    c.setFont("Times-Roman", 8)
    c.drawRightString(535, 800, f"Report 2 replaces report 1 of 05-Jan-2026 17:12      page {page} of {pages}")
    c.drawString(60, 36, "Destroy earlier copies.")


def build(out):
    spans = [("SPAN", (0, row), (-1, row)) for row in (4, 6)]
    small = [("FONT", (0, row), (-1, row), "Times-Italic", 8) for row in (4, 6)]
    lines = [("LINEABOVE", (0, 0), (-1, 0), 0.8, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black)]
    facts = [
        ["Protocol", "MKV-330-RA-2", "Sample number", "NRL-26-000913"], ["Site / subject", "305 / 305-2219", "Sample type", "Serum, citrate plasma"],
        ["Sampled", "05-Jan-2026 09:30", "Fasting", "yes"], ["Received", "05-Jan-2026 11:05", "Corrected report", "07-Jan-2026 08:45"],
    ]
    story = [
        p("CORRECTED LABORATORY REPORT", 15, "Times-Bold", after=10),
        t(facts, [80, 160, 100, 130], 10, "Times-Roman", plain=True),
        p(" ", 8),
        t(ROWS, [150, 75, 25, 60, 100, 70], 10, "Times-Roman", "Times-Bold", lines + spans + small, plain=True),
        p("Interpretation: acute hepatocellular injury. No serological evidence of viral hepatitis A, B, C or E.", 9.5, "Times-Italic", before=12),
    ]
    flow(out, story, furniture, "Corrected report NRL-26-000913", A4, (60, 60, 70, 60))
