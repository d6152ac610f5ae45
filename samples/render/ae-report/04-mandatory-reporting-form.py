"""A lettered-section device-and-drug reporting form of US style, tick marks as characters, numeric dates day/month unclear."""

from reportlab.lib.pagesizes import LETTER
from reportlab.platypus import Spacer

from kit import GRID, colors, dejavu, flow, p, t


def furniture(c, page, pages):
    c.setFont("Times-Italic", 8)
    c.drawString(48, 760, "For use by user-facilities, importers, distributors and manufacturers for MANDATORY reporting (mock form)")
    c.drawCentredString(306, 28, f"- {page} of {pages} -")
    c.drawRightString(564, 28, "Mfr report # EXA-US-26-00231")


def band(text):
    return t([[f"<b>{text}</b>"]], [516], 9, "DejaVu", rules=[("BACKGROUND", (0, 0), (-1, -1), colors.HexColor("#dde3ea")),
                                                            ("BOX", (0, 0), (-1, -1), 0.6, colors.black)])


def cells(rows, widths):
    return t(rows, widths, 8, "DejaVu", rules=GRID)


def build(out):
    dejavu()
    on, off = "☒", "☐"
    story = [
        band("A. PATIENT INFORMATION"),
        cells([["1. Patient identifier<br/>0417-S003", "2. Age at time of event<br/>46 years", f"3. Sex<br/>{on} Female  {off} Male",
                "4. Weight<br/>168 lb"]], [150, 130, 136, 100]),
        Spacer(1, 6),
        band("B. ADVERSE EVENT OR PRODUCT PROBLEM"),
        cells([[f"1. {on} Adverse event   and/or   {off} Product problem", "3. Date of event<br/>03/04/2026"],
               [f"2. Outcomes attributed to adverse event (check all that apply)<br/>{off} death<br/>{on} life-threatening<br/>"
                f"{on} hospitalization - initial or prolonged<br/>{off} disability<br/>{off} congenital anomaly<br/>"
                f"{off} required intervention to prevent permanent impairment<br/>{off} other", "4. Date of this report<br/>03/11/2026"]],
              [366, 150]),
        cells([["5. Describe event or problem<br/>Subject is a 46 yo woman in study EXA17/CL/0044 (site 0417) who developed <b>anaphylactic "
                "reaction</b> 20 minutes after the third infusion: generalized urticaria, wheezing, BP 72/40. No cardiac arrest, no "
                "loss of consciousness. Epinephrine 0.3 mg IM x2, admitted to ICU overnight for observation. She fully recovered the "
                "next day. Not rechallenged; investigational product permanently withdrawn. Investigator: related to EXA-17."]], [516]),
        cells([["6. Relevant tests/laboratory data<br/>Tryptase 38.2 ng/mL (0-11.4) 90 min after onset; 5.1 ng/mL at 24 h."],
               ["7. Other relevant history<br/>Hx of seasonal allergic rhinitis. No hx of asthma. Denies prior drug reactions. Sister allergic "
                "to penicillin."]], [516]),
        Spacer(1, 6),
        band("C. SUSPECT MEDICATION(S)"),
        cells([["1. Name<br/>#1 EXA-17", "2. Dose, frequency &amp; route used<br/>#1 8 mg/kg IV Q2W", "3. Therapy dates<br/>#1 02/04/2026 - 03/04/2026"],
               ["4. Diagnosis for use<br/>#1 Moderate-to-severe atopic dermatitis", "6. Lot #<br/>#1 E17-2209B",
                f"5. Event abated after use stopped<br/>#1 {on} yes {off} no {off} doesn't apply"],
               ["10. Concomitant medical products<br/>cetirizine; levonorgestrel IUD", "7. Exp. date<br/>#1 06/2027",
                f"8. Event reappeared after reintroduction<br/>#1 {off} yes {off} no {on} doesn't apply"]], [190, 160, 166]),
        Spacer(1, 6),
        band("E. INITIAL REPORTER"),
        cells([["1. Name &amp; address<br/>Jane Roe, MD<br/>100 Anywhere Street, Sampletown", f"2. Health professional?<br/>{on} yes  {off} no",
                "3. Occupation<br/>Investigator"]], [216, 150, 150]),
        Spacer(1, 6),
        band("G. ALL MANUFACTURERS"),
        cells([[f"7. Type of report<br/>{off} 5-day {on} 15-day {off} periodic<br/>{on} initial  {off} follow-up # ____",
                "5. IND #<br/>000000", "8. Adverse event term(s)<br/>anaphylactic reaction"]], [200, 116, 200]),
        p("Submission of a report does not constitute an admission that the product caused or contributed to the event. Death, "
          "disability and congenital anomaly are listed above as form choices only.", 7, "Times-Roman", before=8),
    ]
    flow(out, story, furniture, "Mandatory reporting form", LETTER, (48, 48, 48, 48))
