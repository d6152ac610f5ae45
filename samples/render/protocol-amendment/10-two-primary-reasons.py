"""A sponsor form with ruled questions and vector tick boxes in which two primary reasons are ticked and a date is unclear."""

from reportlab.lib.pagesizes import LETTER

from kit import box, numbered

REASONS = [
    ("Regulatory agency request", False), ("New safety information", True), ("IRB/IEC feedback", False), ("Manufacturing change", True),
    ("Change in strategy", False), ("Recruitment difficulty", False), ("Inconsistency/error", False), ("Other", False),
]
QUESTIONS = [
    ("Applies globally", True), ("Substantial impact on participant safety or rights", True),
    ("Substantial impact on data reliability", False), ("Participants must be re-consented", True),
]
CHANGES = [
    ("6.2", "Preparation and Storage", "Vials are stored at 2-8 C, no longer frozen.", "New manufacturing process."),
    ("8.3.1", "Vital Signs", "Observation after infusion extended to 2 hours.", "One case of anaphylaxis (0417-S003)."),
]


def furniture(c, page, pages):
    c.setFont("Helvetica-Bold", 9)
    c.drawString(45, 755, "EXAMPLIA THERAPEUTICS - PROTOCOL AMENDMENT RECORD")
    c.setFont("Helvetica", 7)
    c.drawRightString(567, 755, "FRM-0312 rev C")
    c.drawString(45, 30, f"Sheet {page} of {pages}")


def build(out):
    c = numbered(furniture)(str(out), pagesize=LETTER)
    c.setTitle("Protocol amendment record")
    y = 720
    for left, right in ((("Protocol number", "EXA17/CL/0101"), ("Amendment", "Amendment 1")),
                        (("Protocol version", "2.0"), ("Version date", "05/06/2026")),
                        (("Approval date", "04/06/2026"), ("Percent enrolled", "5 %"))):
        for x, (name, value) in ((45, left), (310, right)):
            c.setFont("Helvetica", 8)
            c.drawString(x, y, name)
            c.setFont("Courier-Bold", 10)
            c.drawString(x + 95, y, value)
            c.line(x + 92, y - 3, x + 250, y - 3)
        y -= 24
    c.setFont("Helvetica-Bold", 9)
    c.drawString(45, y - 6, "Primary reason (tick ONE)")
    y -= 26
    for number, (label, ticked) in enumerate(REASONS):
        x = 50 + 260 * (number % 2)
        box(c, x, y, ticked, 9)
        c.setFont("Helvetica", 9)
        c.drawString(x + 15, y + 1, label)
        if number % 2:
            y -= 18
    y -= 8
    for label, yes in QUESTIONS:
        c.setFont("Helvetica", 9)
        c.drawString(50, y, label)
        for x, text, ticked in ((400, "Yes", yes), (460, "No", not yes)):
            box(c, x, y - 1, ticked, 9)
            c.drawString(x + 14, y, text)
        y -= 18
    for number, title, what, why in CHANGES:
        y -= 20
        c.setFont("Helvetica-Bold", 9)
        c.drawString(45, y, f"Section {number} {title}")
        for name, text in (("New:", what), ("Because:", why)):
            y -= 14
            c.setFont("Helvetica", 9)
            c.drawString(60, y, name)
            c.drawString(110, y, text)
    c.showPage()
    c.save()
