"""A fillable SAE form: AcroForm check boxes and text fields over static labels; German house style, dotted dates."""

from kit import A4, colors, numbered

WIDE, TALL = A4


def furniture(c, page, pages):
    c.setFillColor(colors.HexColor("#1f4e4a"))
    c.rect(0, TALL - 44, WIDE, 44, stroke=0, fill=1)
    c.setFillColor(colors.white)
    c.setFont("Helvetica-Bold", 13)
    c.drawString(36, TALL - 28, "SERIOUS ADVERSE EVENT FORM")
    c.setFont("Helvetica", 8)
    c.drawRightString(WIDE - 36, TALL - 28, "Testhafen Pharma AG  |  all dates DD.MM.YYYY")
    c.setFillColor(colors.black)
    c.setFont("Helvetica", 7)
    c.drawString(36, 22, "SAE-F-011 Version 5.0 (valid from 01.07.2025)")
    c.drawRightString(WIDE - 36, 22, f"Seite / page {page} von / of {pages}")


def label(c, x, y, text, size=8, font="Helvetica"):
    c.setFont(font, size)
    c.drawString(x, y, text)


def entry(c, name, x, y, width, value):
    c.acroForm.textfield(name=name, value=value, x=x, y=y - 3, width=width, height=14, fontSize=8, borderWidth=0.5,
                         fontName="Helvetica", forceBorder=True)


def tick(c, name, x, y, text, ticked):
    c.acroForm.checkbox(name=name, x=x, y=y - 1, size=9, checked=ticked, buttonStyle="cross", borderWidth=0.5)
    label(c, x + 13, y, text)


def section(c, y, text):
    c.setStrokeColor(colors.HexColor("#1f4e4a"))
    c.line(36, y - 4, WIDE - 36, y - 4)
    label(c, 36, y, text, 9, "Helvetica-Bold")


def first_page(c):
    section(c, 775, "1  Identification")
    for name, text, x, y, value in (
        ("study", "Study code", 36, 755, "THP-660-07"), ("site", "Centre", 220, 755, "DE-0019"),
        ("subject", "Subject no.", 390, 755, "0019-044"), ("age", "Age (years)", 36, 735, "69"),
        ("aware", "Awareness date", 220, 735, "13.02.2026"), ("report", "Report date", 390, 735, "13.02.2026"),
    ):
        label(c, x, y, text)
        entry(c, name, x + 65, y, 90, value)
    label(c, 36, 715, "Sex")
    tick(c, "sex_f", 100, 715, "female", False)
    tick(c, "sex_m", 160, 715, "male", True)
    label(c, 220, 715, "Report")
    tick(c, "rep_i", 285, 715, "initial", True)
    tick(c, "rep_f", 340, 715, "follow-up", False)

    section(c, 690, "2  Event")
    label(c, 36, 670, "Diagnosis")
    entry(c, "event", 101, 670, 379, "atrial fibrillation with rapid ventricular response")
    label(c, 36, 650, "Onset")
    entry(c, "onset", 101, 650, 90, "12.02.2026")
    label(c, 220, 650, "End")
    entry(c, "end", 285, 650, 90, "")
    label(c, 36, 628, "Intensity")
    for number, (text, ticked) in enumerate((("mild", False), ("moderate", False), ("severe", True))):
        tick(c, f"int_{text}", 101 + 80 * number, 628, text, ticked)

    section(c, 600, "3  Seriousness criteria (tick all that apply)")
    for number, (text, ticked) in enumerate((
        ("results in death", False), ("is life-threatening", False),
        ("requires or prolongs hospitalisation", True), ("persistent or significant disability", False),
        ("congenital anomaly / birth defect", False), ("other important medical event", True),
    )):
        tick(c, f"ser_{number}", 40 + 260 * (number % 2), 580 - 18 * (number // 2), text, ticked)

    section(c, 515, "4  Outcome")
    for number, (text, ticked) in enumerate((
        ("recovered", False), ("recovering", True), ("not recovered", False), ("recovered with sequelae", False),
        ("fatal", False), ("unknown", False),
    )):
        tick(c, f"out_{number}", 40 + 175 * (number % 3), 495 - 18 * (number // 3), text, ticked)

    section(c, 448, "5  Trial medication")
    for name, text, x, y, width, value in (
        ("drug", "Product", 36, 428, 150, "THP-660 film-coated tablet"), ("dose", "Dose / frequency", 285, 428, 100, "200 mg / t.i.d."),
        ("route", "Route", 36, 408, 150, "oral"), ("batch", "Batch", 285, 408, 100, "TH-7741-3"),
        ("first", "First intake", 36, 388, 150, "19.01.2026"), ("last", "Last before event", 285, 388, 100, "12.02.2026"),
        ("ind", "Indication", 36, 368, 150, "chronic cough"),
    ):
        label(c, x, y, text)
        entry(c, name, x + (65 if x < 100 else 80), y, width, value)
    label(c, 36, 346, "Action")
    for number, (text, ticked) in enumerate((("none", False), ("dose reduced", False), ("interrupted", False),
                                             ("discontinued", True), ("n/a", False))):
        tick(c, f"act_{number}", 101 + 85 * number, 346, text, ticked)
    label(c, 36, 324, "Causality")
    for number, (text, ticked) in enumerate((("related", False), ("probable", False), ("possible", True),
                                             ("unlikely", False), ("unrelated", False))):
        tick(c, f"cau_{number}", 101 + 85 * number, 324, text, ticked)


def second_page(c):
    section(c, 775, "6  Concomitant medication at onset")
    for number, (drug, why) in enumerate((("ramipril 5 mg 1-0-0", "arterial hypertension"), ("pantoprazole 20 mg 1-0-0", "reflux"))):
        label(c, 40, 755 - 16 * number, drug)
        label(c, 220, 755 - 16 * number, why)
    section(c, 712, "7  Narrative")
    for number, line in enumerate((
        "The patient noticed palpitations and dizziness on the evening of 12.02.2026 and called an ambulance.",
        "ECG: atrial fibrillation, 148 bpm, no ST elevation. Troponin T negative twice; myocardial infarction excluded.",
        "No signs of decompensated heart failure. TSH 1.9 mU/l. Potassium 4.1 mmol/l.",
        "Rate control with metoprolol i.v.; anticoagulation with apixaban was started in hospital.",
        "On 13.02.2026 heart rate 88 bpm, still in atrial fibrillation, clinically improving; remains on the ward.",
        "No previous arrhythmia. His mother had a stroke at the age of 80. If sinus rhythm does not return,",
        "electrical cardioversion is planned for 16.02.2026.",
    )):
        label(c, 40, 692 - 14 * number, line, 9)
    section(c, 570, "8  Reporter")
    label(c, 40, 550, "Name")
    entry(c, "rep_name", 101, 550, 180, "Dr. med. Max Mustermann")
    label(c, 300, 550, "Function")
    entry(c, "rep_role", 350, 550, 150, "Principal Investigator")


def build(out):
    c = numbered(furniture)(str(out), pagesize=A4)
    c.setTitle("SAE form")
    first_page(c)
    c.showPage()
    second_page(c)
    c.showPage()
    c.save()
