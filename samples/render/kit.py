"""Drawing aids shared by the document sources: fonts, page furniture, and paragraphs and tables in one call."""

from datetime import datetime, timezone
from pathlib import Path

from fpdf import FPDF
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

# Fixed dates and file identifiers: the same source always gives the same bytes.
rl_config.invariant = 1
rl_config.useA85 = 0

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
FIXED_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)


def dejavu():
    """Makes DejaVu and DejaVu-Bold (Debian: fonts-dejavu-core) known; only the used glyphs are embedded."""
    for name, file in (("DejaVu", "DejaVuSans.ttf"), ("DejaVu-Bold", "DejaVuSans-Bold.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(DEJAVU / file)))
    pdfmetrics.registerFontFamily("DejaVu", normal="DejaVu", bold="DejaVu-Bold", italic="DejaVu", boldItalic="DejaVu-Bold")


def numbered(furniture):
    """A canvas class which draws `furniture(canvas, page, pages)` on each page once the number of pages is known."""

    class Numbered(Canvas):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self._pages = []

        def showPage(self):
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self):
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                furniture(self, number, len(self._pages))
                super().showPage()
            super().save()

    return Numbered


def flow(out, story, furniture, title, size=A4, margins=(54, 54, 64, 56)):
    """Sets `story` (platypus) on as many pages as it needs; margins are left, right, top, bottom in points."""
    left, right, top, bottom = margins
    SimpleDocTemplate(
        str(out), pagesize=size, leftMargin=left, rightMargin=right, topMargin=top, bottomMargin=bottom, title=title
    ).build(story, canvasmaker=numbered(furniture))


def p(text, size=9.0, font="Helvetica", lead=None, before=0, after=3, indent=0, align=0, color=colors.black, first=0):
    """A paragraph; `text` may hold reportlab's markup (<b>, <strike>, <super>)."""
    style = ParagraphStyle(
        f"{font}{size}", fontName=font, fontSize=size, leading=lead or size * 1.25, spaceBefore=before, spaceAfter=after,
        leftIndent=indent, alignment=align, textColor=color, firstLineIndent=first,
    )
    return Paragraph(text, style)


def t(rows, widths, size=8.0, font="Helvetica", head=None, rules=(), repeat=0, plain=False, heights=None):
    """A table. Cells wrap unless `plain`; the first row is set in the font `head` when one is given."""
    def cell(row, text):
        if plain or not isinstance(text, str):
            return text
        return p(text, size, head if head and row == 0 else font, after=0)

    cells = [[cell(number, text) for text in row] for number, row in enumerate(rows)]
    base = [("FONT", (0, 0), (-1, -1), font, size), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    if plain and head:
        base.append(("FONT", (0, 0), (-1, 0), head, size))
    return Table(cells, colWidths=widths, rowHeights=heights, style=base + list(rules), repeatRows=repeat)


GRID = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]


def box(canvas, x, y, ticked, side=8):
    """A tick box drawn as lines, as form designers draw them: no text extractor sees it."""
    canvas.rect(x, y, side, side)
    if ticked:
        canvas.line(x + 1, y + 1, x + side - 1, y + side - 1)
        canvas.line(x + 1, y + side - 1, x + side - 1, y + 1)


class Sheet(FPDF):
    """An fpdf2 document (another generator, other text operators) with a fixed date and a page furniture function."""

    def __init__(self, furniture, orientation="P", unicode=False):
        super().__init__(orientation=orientation, unit="mm", format="A4")
        self.furniture = furniture
        self.set_creation_date(FIXED_TIME)
        if unicode:
            self.add_font("DejaVu", "", str(DEJAVU / "DejaVuSans.ttf"))
            self.add_font("DejaVu", "B", str(DEJAVU / "DejaVuSans-Bold.ttf"))

    def header(self):
        self.furniture(self, "header")

    def footer(self):
        self.furniture(self, "footer")
