"""A safety-database print: the initial narrative and two follow-ups one after another, typewriter font, the last one valid."""

from textwrap import wrap

from kit import A4, numbered

CASE = "Case 2026MKV000512      Protocol MKV-330-ON-1      Site 219      Patient 219-011"
BLOCKS = [
    ("INITIAL INFORMATION RECEIVED 05-JAN-2026:", "This serious case from a clinical trial concerns a 77-year-old female patient "
     "(race White) with relapsed follicular lymphoma. Past medical history: osteoporosis, glaucoma, hysterectomy. No "
     "history of herpes zoster. Family history: daughter with systemic lupus. The patient started MKV-330, 75 mg orally once daily, "
     "on 01-DEC-2025."),
    ("", "On 03-JAN-2026 she developed a painful rash on the left chest. The reported event was rash, mild. She was not "
     "hospitalised. The outcome of the event rash was not recovered. The investigator assessed the rash as not related."),
    ("FOLLOW-UP 1 RECEIVED 12-JAN-2026 (significant):", "The event term was changed from rash to herpes zoster. The severity was "
     "changed to severe. On 07-JAN-2026 the patient was hospitalised because of involvement of the first trigeminal branch as "
     "a second dermatome. Aciclovir 10 mg/kg intravenously every 8 hours was started. There were no signs of meningitis or of "
     "keratitis. MKV-330 was interrupted on 07-JAN-2026. The investigator changed the causality to related."),
    ("FOLLOW-UP 2 RECEIVED 02-FEB-2026 (significant):", "She was discharged on 16-JAN-2026 on valaciclovir 1000 mg orally three times "
     "daily. A new event was added: moderate postherpetic neuralgia, onset 20-JAN-2026, outcome not recovered, causality possibly "
     "related. Pregabalin was considered but not given. The herpes zoster recovered with sequelae (scarring) on 28-JAN-2026. Should the "
     "neuralgia last beyond three months, referral to a pain clinic is intended."),
    ("SENDER'S COMMENT:", "Herpes zoster is listed. In view of age and prior rituximab, an alternative explanation is possible. No "
     "pneumonitis, which is an important identified risk, has been reported in this patient."),
]


def furniture(c, page, pages):
    c.setFont("Courier", 8)
    c.drawString(60, 806, CASE)
    c.drawString(60, 796, "-" * 98)
    c.drawString(60, 36, "Printed 03-FEB-2026 08:00 UTC by SYSTEM")
    c.drawRightString(535, 36, f"PAGE {page} OF {pages}")


def build(out):
    c = numbered(furniture)(str(out), pagesize=A4)
    c.setTitle("Case narrative 2026MKV000512")
    y = 760
    for title, text in BLOCKS:
        lines = ([title] if title else []) + wrap(text, 68)
        for number, line in enumerate(lines):
            if y < 330:  # the printer's short form feeds early
                c.showPage()
                y = 760
            c.setFont("Courier-Bold" if title and number == 0 else "Courier", 11)
            c.drawString(60, y, line)
            y -= 16
        y -= 10
    c.showPage()
    c.save()
