"""A country-specific amendment letter-head document: boxes drawn as characters, numbered change paragraphs, no table."""

from kit import A4, dejavu, flow, p

CHANGES = [
    ("4.2", "Scientific Rationale for Study Design", "The sentence allowing enrolment of adults lacking capacity is deleted for Germany.",
     "Participation of adults lacking capacity is not permitted by national law for this trial."),
    ("8.2.4", "Chest Radiography", "In Germany, chest radiography at Week 26 is replaced by ultrasound.",
     "Requested by the competent authority because of radiation exposure without individual benefit."),
    ("10.1.3", "Informed Consent Process", "Consent must be obtained by a physician.", "Alignment with national requirements."),
]


def furniture(c, page, pages):
    c.setFont("DejaVu-Bold", 8)
    c.drawString(60, 808, "THP-660-07/DE-1")
    c.setFont("DejaVu", 7)
    c.drawRightString(535, 808, "Testhafen Pharma AG · Musterallee 0 · 00000 Musterstadt")
    c.drawCentredString(297, 30, f"Version 2.1-DE · 20.01.2026 · Seite {page} / {pages}")


def build(out):
    dejavu()

    def say(text, **more):
        return p(text, 9.5, "DejaVu", lead=13, **more)

    story = [
        p("Country-specific Protocol Amendment No. 1 (Germany)", 14, "DejaVu-Bold", after=10),
        say("Protocol code: <b>THP-660-07</b>, amended as THP-660-07/DE-1"),
        say("Protocol version and date: <b>2.1-DE</b> of <b>20.01.2026</b> (global version 2.0 of 11.09.2025 stays valid elsewhere)"),
        say("Released by the sponsor on: 19.01.2026"),
        say("Scope:  ☐ global   ☒ not global (country: DE, all 14 German centres)"),
        say("Trial participants included in Germany at release: 8 % of the national target"),
        p("Reason", 11, "DejaVu-Bold", before=10),
        say("☒ request of a regulatory agency (primary)   ☐ new safety information   ☐ IRB/IEC feedback   ☐ other"),
        p("Impact", 11, "DejaVu-Bold", before=10),
        say("Substantial impact on participants' safety or rights?   ☒ yes  ☐ no   (less radiation exposure)"),
        say("Substantial impact on reliability or robustness of the data?   ☐ yes  ☒ no"),
        say("New signature of consent by participants already included necessary?   ☒ yes  ☐ no"),
        p("Changes", 11, "DejaVu-Bold", before=10),
    ]
    for number, title, what, why in CHANGES:
        story += [say(f"<b>Section {number} – {title}</b>", before=6), say(f"Change: {what}", indent=18), say(f"Rationale: {why}", indent=18)]
    story += [
        p("Unchanged", 11, "DejaVu-Bold", before=10),
        say("Section 6 (dosing, 200 mg three times daily), section 8.4 (adverse events) and all endpoints. Other countries are not concerned; "
            "a possible global amendment 3 is under discussion."),
        say("Signed for the sponsor: Dr. Erika Mustermann, 19.01.2026", before=24),
    ]
    flow(out, story, furniture, "Amendment THP-660-07/DE-1", A4, (60, 60, 56, 56))
