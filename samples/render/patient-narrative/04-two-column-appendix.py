"""A narrative set in two newspaper columns with justified text and a framed summary over both columns."""

from reportlab.lib.pagesizes import LETTER
from reportlab.platypus import BaseDocTemplate, Frame, FrameBreak, PageTemplate

from kit import colors, numbered, p

PARAGRAPHS = [
    "This 29-year-old woman (Native Hawaiian or Other Pacific Islander) with relapsing-remitting multiple sclerosis received the "
    "first infusion of TBV-5 on 2 October 2025 in study TBV5-MS-3011 at site US-077.",
    "Relevant history: migraine without aura, childhood varicella and a caesarean section in 2022. She had never had seizures. "
    "Her grandfather had epilepsy following a head injury.",
    "On 1 December 2025, four days after the third infusion, she was found by her husband with rhythmic jerking of both arms that "
    "lasted about two minutes. She was taken to hospital and admitted on the same day.",
    "Brain MRI showed no new demyelinating lesion and no haemorrhage. Cerebrospinal fluid examination gave no indication of "
    "encephalitis; JC virus DNA was not detected. An electroencephalogram on 2 December 2025 showed left temporal spikes.",
    "Levetiracetam 500 mg was given intravenously every 12 hours and changed to tablets on discharge. Lorazepam 2 mg had been "
    "given once by the ambulance crew intravenously.",
    "The event of moderate generalised tonic-clonic seizure resolved on 1 December 2025. She was discharged on 4 December 2025. No "
    "further seizure had occurred up to the last contact on 15 January 2026.",
    "During the stay, on 3 December 2025, she developed a mild rash on the trunk which was thought to be due to levetiracetam. The "
    "rash was resolving when she went home.",
    "The investigator considered the seizure unlikely to be related and the rash not related to TBV-5. TBV-5 was withheld "
    "for one cycle. If another seizure were to occur, the study drug would be discontinued for good.",
]


def furniture(c, page, pages):
    c.setFont("Helvetica-Oblique", 7.5)
    c.drawString(54, 758, "TBV5-MS-3011 | US-077-0112 | narrative v2 | 19 January 2026")
    c.drawRightString(558, 758, f"{page}/{pages}")
    c.drawCentredString(306, 30, "Testbed Vaccines & Biologics Inc. - company confidential")


def build(out):
    frames = [
        Frame(54, 640, 504, 108, showBoundary=1, id="summary"),
        Frame(54, 50, 244, 580, id="left"),
        Frame(314, 50, 244, 580, id="right"),
    ]
    document = BaseDocTemplate(str(out), pagesize=LETTER, title="Narrative US-077-0112")
    document.addPageTemplates([PageTemplate(id="columns", frames=frames)])
    half = 5
    story = [
        p("SUBJECT US-077-0112", 12, "Helvetica-Bold"),
        p("Serious: generalised tonic-clonic seizure (verbatim: &#8220;grand mal fit&#8221;). Non-serious: rash.", 9),
        p("TBV-5 300 mg IV every 4 weeks; first dose 2 October 2025; last dose before event 27 November 2025.", 9),
        p("Hospitalised 1 to 4 December 2025. Status at last contact: alive, on study.", 9), FrameBreak(),
        *[p(text, 10, "Times-Roman", lead=13, after=7, align=4) for text in PARAGRAPHS[:half]], FrameBreak(),
        *[p(text, 10, "Times-Roman", lead=13, after=7, align=4, color=colors.black) for text in PARAGRAPHS[half:]],
    ]
    document.build(story, canvasmaker=numbered(furniture))
