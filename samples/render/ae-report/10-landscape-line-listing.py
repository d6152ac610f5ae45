"""A landscape line listing of one subject's events: narrow columns, cells wrapped over lines, repeated heading row."""

from reportlab.lib.pagesizes import A4, landscape

from kit import GRID, colors, flow, p, t

HEAD = ["AE No.", "Reported term", "Start date (day)", "Stop date (day)", "CTC Gr", "SAE", "Criteria", "Relationship to EXA-17",
        "Action taken with EXA-17", "Outcome", "Comment"]
ROWS = [
    ["001", "Fatigue", "2025-12-03 (D2)", "2026-01-09 (D39)", "1", "No", "", "Possibly related", "Dose not changed", "Recovered", ""],
    ["002", "Thrombocytopenia", "2025-12-23 (D22)", "2026-01-12 (D42)", "4", "Yes", "Life-threatening", "Related",
     "Dose reduced", "Recovered",
     "Plt nadir 17 x10^9/L; no bleeding, no petechiae. 1 unit platelets."],
    ["003", "Left ankle fracture after fall on ice", "2026-01-04 (D34)", "", "3", "Yes", "Hospitalisation", "Not related",
     "Drug interrupted", "Recovering", "Osteosynthesis 05-Jan. Fall not preceded by dizziness or syncope."],
    ["004", "Peripheral sensory neuropathy", "2026-01 (approx.)", "", "2", "No", "", "Probably related", "Dose reduced",
     "Not recovered", "Diabetic neuropathy excluded (HbA1c 5.4 %)."],
    ["005", "Urinary tract infection", "2026-01-20 (D50)", "2026-01-27 (D57)", "2", "No", "", "Unlikely related",
     "Dose not changed", "Recovered", "Cystitis only; no pyelonephritis. Similar episode 2019."],
    ["006", "Depressed mood", "2026-02-02 (D63)", "", "1", "No", "", "Unlikely related", "Dose not changed", "Unknown",
     "Lost contact after husband's death; no suicidality."],
]


def furniture(c, page, pages):
    wide, tall = landscape(A4)
    c.setFont("Courier", 7.5)
    c.drawString(36, tall - 30, "Examplia Therapeutics        Study EXA17/CL/0101        Data cut-off 15FEB2026")
    c.drawRightString(wide - 36, tall - 30, f"Page {page} of {pages}")
    c.drawString(36, 24, "Program: l_ae_subject   Created: 2026-02-18T06:12   DRAFT - not validated")


def build(out):
    rules = GRID + [("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eeeeee"))]
    story = [
        p("Listing 16.2.7.1  Adverse events by subject (safety set)", 10, "Courier-Bold", after=6),
        p("Site: 0422 &nbsp;&nbsp; Subject: 0422-S017 &nbsp;&nbsp; Sex/Age: F/33 &nbsp;&nbsp; Treatment: EXA-17 1.5 mg/kg IV Q3W, "
          "first dose 2025-12-02 (Day 1) &nbsp;&nbsp; Lot: E17-2301A &nbsp;&nbsp; Disease: relapsed osteosarcoma", 8, "Courier", after=6),
        t([HEAD] + ROWS, [30, 94, 62, 62, 28, 30, 92, 66, 66, 60, 176], 7.5, "Courier", "Courier-Bold", rules, repeat=1),
        p("Concomitant at any event: ondansetron; gabapentin; nitrofurantoin was given for AE 005 only.", 8, "Courier", before=8),
        p("Investigator: Dr. Taro Yamada (Principal Investigator). Verified against source 2026-02-17.", 8, "Courier", before=4),
    ]
    flow(out, story, furniture, "Listing 16.2.7.1", landscape(A4), (36, 36, 44, 40))
