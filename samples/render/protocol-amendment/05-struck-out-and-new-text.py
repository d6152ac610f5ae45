"""A marked-up amendment: current and new wording side by side, deletions struck out and insertions bold, in Times."""

from reportlab.lib.pagesizes import LETTER

from kit import colors, flow, p, t

ROWS = [
    ["Section", "Current text", "New text", "Reason for the change"],
    ["2.3<br/>Benefit/Risk Assessment", "ECOG performance status of <strike>0 or 1</strike>", "ECOG performance status of <b>0 to 2</b>",
     "Data of the phase 2 extension show similar benefit in ECOG 2."],
    ["5.1<br/>Inclusion Criteria", "3. ECOG <strike>0-1</strike> at screening", "3. ECOG <b>0-2</b> at screening", "Consistency with 2.3."],
    ["6.1<br/>Study Interventions", "solimab-X 240 mg <strike>every 2 weeks</strike>", "solimab-X <b>480 mg every 4 weeks</b>",
     "Pharmacokinetic modelling supports the longer interval."],
    ["9.4.1<br/>Interim Analysis", "One interim analysis at <strike>60 %</strike> of events",
     "<b>Two</b> interim analyses at <b>50 % and 75 %</b> of events", "Earlier look made possible by new external data."],
]


def furniture(c, page, pages):
    c.setFont("Times-Roman", 8)
    c.drawString(50, 764, "Nullarion Biologics S.L.   Amendment 2 to protocol NUL-COMBO-12")
    c.line(50, 758, 562, 758)
    c.drawRightString(562, 28, f"{page} of {pages} pages")
    c.drawString(50, 28, "Marked copy; struck out = deleted, bold = inserted")


def build(out):
    def say(text):
        return p(text, 10, "Times-Roman", lead=14)

    rules = [("LINEBELOW", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey)]
    story = [
        p("PROTOCOL AMENDMENT 2", 15, "Times-Bold", after=2), p("marked version", 10, "Times-Italic", after=10),
        say("<b>Protocol No.</b> NUL-COMBO-12 &nbsp; &nbsp; <b>Protocol version</b> 3.0, 22 December 2025 &nbsp; &nbsp; <b>Previous</b> 2.0, 30 May 2025"),
        say("<b>Sponsor sign-off</b> 19 December 2025. <b>Extent</b> Global. <b>Enrolled at sign-off</b> 41.5 % (83 of 200, worldwide)."),
        say("<b>Reason (primary)</b> New data other than safety: results of the phase 2 extension and population pharmacokinetics. "
            "<b>Reason (secondary)</b> Change in standard of care."),
        say("<b>Substantial impact on safety/rights</b> Yes; the dosing interval changes. <b>Substantial impact on reliability/robustness</b> Yes; an "
            "interim analysis is added."),
        say("<b>Consent</b> Ongoing participants are to be re-consented before the first 480 mg dose."),
        p("Changes to the protocol", 12, "Times-Bold", before=12, after=6),
        t(ROWS, [100, 130, 142, 140], 9.5, "Times-Roman", "Times-Bold", rules, repeat=1),
        p("Editorial corrections without effect on conduct are not listed.", 9, "Times-Italic", before=10),
    ]
    flow(out, story, furniture, "NUL-COMBO-12 Amendment 2", LETTER, (50, 50, 56, 50))
