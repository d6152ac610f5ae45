"""A title page whose largest table is the history of all versions; the current amendment's changes follow as stacked cards."""

from kit import A4, colors, numbered

TALL = A4[1]
HISTORY = [
    ("Document", "Version", "Date", "Approved", "Enrolment", "Scope", "Main reason"),
    ("Amendment 3 (this one)", "4.0", "2026-03-02", "2026-02-26", "55 %", "Global", "IMP addition"),
    ("Amendment 2", "3.0", "2025-09-15", "2025-09-12", "30 %", "Global", "New safety information"),
    ("Amendment 1.1 (JP only)", "2.1-JP", "2025-04-07", "2025-04-04", "12 %", "Not global", "Regulatory agency request"),
    ("Amendment 1", "2.0", "2025-02-10", "2025-02-06", "3 %", "Global", "Protocol design error"),
    ("Original protocol", "1.0", "2024-10-21", "2024-10-18", "-", "-", "-"),
]
COLUMNS = (50, 165, 210, 270, 330, 385, 440)
CARDS = [
    ("4.1", "Overall Design", "A third arm with the subcutaneous formulation of MKV-330 is added.",
     "A subcutaneous product has become available."),
    ("6.1", "Study Interventions Administered", "MKV-330 solution for injection, 120 mg subcutaneously once weekly.",
     "Description of the added investigational product."),
    ("6.3", "Randomisation and Blinding", "Allocation 2:2:1 instead of 1:1.", "Third arm."),
    ("8.3.7", "Injection Site Reactions", "Diary of injection site reactions for 7 days after each dose.", "New route of administration."),
]


def furniture(c, page, pages):
    c.setFont("Courier", 8)
    c.drawString(50, TALL - 30, "MKV-330-ON-1 Protocol v4.0 2026-03-02")
    c.drawRightString(545, TALL - 30, f"[{page}|{pages}]")


def history(c, y):
    for number, row in enumerate(HISTORY):
        if number == 1:
            c.setFillColor(colors.HexColor("#e6eef6"))
            c.rect(46, y - 4, 503, 14, stroke=0, fill=1)
            c.setFillColor(colors.black)
        c.setFont("Helvetica-Bold" if number < 2 else "Helvetica", 7.5)
        for x, text in zip(COLUMNS, row):
            c.drawString(x, y, text)
        c.line(46, y - 4, 549, y - 4)
        y -= 16
    return y


def card(c, y, number, title, what, why):
    c.roundRect(50, y - 62, 495, 70, 6)
    c.setFont("Helvetica-Bold", 10)
    c.drawString(60, y - 8, f"{number}   {title}")
    for offset, (name, text) in ((26, ("Change", what)), (44, ("Rationale", why))):
        c.setFont("Helvetica-Oblique", 9)
        c.drawString(60, y - offset, name)
        c.setFont("Helvetica", 9)
        c.drawString(125, y - offset, text)
    return y - 84


def build(out):
    c = numbered(furniture)(str(out), pagesize=A4)
    c.setTitle("MKV-330-ON-1 Amendment 3")
    c.setFont("Helvetica-Bold", 18)
    c.drawString(50, TALL - 90, "MKV-330-ON-1")
    c.setFont("Helvetica", 11)
    c.drawString(50, TALL - 110, "MKV-330 in relapsed follicular lymphoma: an open-label, randomised study")
    c.drawString(50, TALL - 126, "Sponsor: Mockingvale Biosciences Ltd.   NCT00000000")
    c.setFont("Helvetica-Bold", 11)
    c.drawString(50, TALL - 170, "Document history")
    y = history(c, TALL - 190)
    c.setFont("Helvetica", 9.5)
    for line in (
        "Amendment 3 is not expected to have a substantial impact on the safety or rights of participants.",
        "A substantial impact on the reliability and robustness of the data is expected: yes, the allocation ratio changes.",
        "Participants in the two existing arms need not be re-consented; new participants sign consent form 4.0.",
    ):
        y -= 16
        c.drawString(50, y, line)
    c.showPage()
    c.setFont("Helvetica-Bold", 11)
    c.drawString(50, TALL - 60, "Changes introduced with Amendment 3")
    y = TALL - 90
    for row in CARDS:
        y = card(c, y, *row)
    c.showPage()
    c.save()
