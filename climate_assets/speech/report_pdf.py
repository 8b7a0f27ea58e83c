"""The report of a clip as PDF: pages, type and colour of what `reports.py` says; text that can be selected and searched.

Belongs here: how a report looks on paper. Does not belong here: what it says.
The same report gives the same bytes. The fonts are handed in, since this module reads no files; reportlab is imported
where a page is made, so that the code location does not carry it.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

from climate_assets.claims.plaintext import capped
from climate_assets.speech.records import UNKNOWN
from climate_assets.speech.reports import NOTHING_SAID, Report, Talk, clock
from climate_assets.speech.spoken import written

PARAGRAPH_CHARACTERS: Final = 4_000
"""Longer text is several paragraphs: breaking one across pages takes time by its square."""
CELL_CHARACTERS: Final = 2_000
"""A cell of a table does not break across pages, so it has to fit one, in the widest letters."""
WORD_CHARACTERS: Final = 80
"""A longer word is cut, so that no line and no cell is wider than the page."""
_INK, _GREY, _RULE, _MARK = "#1b1f24", "#626b76", "#d5d9de", "#fff3c4"
# Told apart by people who do not see all colours (Okabe and Ito 2008), darkened until they are readable on white.
_VOICES: Final = ("#00517f", "#a84300", "#00694d", "#8a3c6b", "#5c5c00", "#2f5fb3", "#7a4b00", "#404040")


@dataclass(frozen=True, slots=True)
class Fonts:
    """Two TrueType fonts with the letters of all languages watched, such as DejaVu Sans."""

    regular: bytes
    bold: bytes


def pdf(report: Report, fonts: Fonts) -> bytes:
    """The report as an A4 PDF with page numbers."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    sheet = _Sheet(fonts, long=any(spoken.end >= 3600 for spoken in report.spoken[-1:]))
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=written(report.title),
        author="climate-assets",
        invariant=1,
        initialFontName=sheet.regular,
    )
    document.build(sheet.story(report), canvasmaker=sheet.canvas(written(report.title)))
    return buffer.getvalue()


class _Sheet:
    """Styles and building blocks of one document."""

    def __init__(self, fonts: Fonts, long: bool) -> None:
        """`long`: times have hours."""
        from reportlab.lib.colors import HexColor
        from reportlab.lib.styles import ParagraphStyle

        self.regular, self.bold = _registered(fonts.regular), _registered(fonts.bold)
        self.width = 469.0  # points between the margins of an A4 page, less the padding of its frame

        def style(name: str, size: float, font: str = self.regular, ink: str = _INK, **more: Any) -> Any:
            return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.4, textColor=HexColor(ink), **more)

        self.title = style("title", 17, self.bold, spaceAfter=8)
        self.heading = style("heading", 12, self.bold, spaceBefore=14, spaceAfter=5, keepWithNext=1)
        self.text = style("text", 9.5, spaceAfter=4, splitLongWords=1)
        self.small = style("small", 8.5, splitLongWords=1)
        self.label = style("label", 8.5, ink=_GREY)
        self.note = style("note", 8.5, ink=_GREY, spaceBefore=4)
        hanging: dict[str, Any] = {
            "leftIndent": 88 if long else 58,
            "bulletIndent": 0,
            "bulletFontName": self.regular,
            "bulletFontSize": 8.5,
            "spaceAfter": 5,
        }
        self.spoken = style("spoken", 9.5, bulletColor=HexColor(_GREY), **hanging)
        self.item = style("item", 9.5, leftIndent=12, bulletIndent=2, bulletFontName=self.regular, spaceAfter=3)

    def story(self, report: Report) -> list[Any]:
        """The report as flowing blocks."""
        story = [self._paragraph(report.title, self.title), self._pairs(report.facts)]
        story.append(self._paragraph("Who speaks", self.heading))
        if report.talk:
            story += [self._talk(report.talk), self._paragraph(report.talk_basis, self.note)]
        else:
            story.append(self._paragraph(NOTHING_SAID, self.text))
        if report.quote:
            story += [self._paragraph("The quote", self.heading), self._pairs(report.quote)]
        story.append(self._paragraph("What is said", self.heading))
        story += self._conversation(report) or [self._paragraph(NOTHING_SAID, self.text)]
        story.append(self._paragraph("Beside the source's text", self.heading))
        story += [self._paragraph(part, self.text) for text in report.source for part in _parts(text)]
        if report.not_believed:
            story.append(self._paragraph("Not believed", self.heading))
            for n in report.not_believed:
                markup = f'<font color="{_GREY}">{_xml(n.reason)}:</font> {_xml(n.text)}'
                story.append(self._markup(markup, self.spoken, f"{clock(n.start)}–{clock(n.end)}"))
        story.append(self._paragraph("What is not known", self.heading))
        story += [self._markup(_xml(text), self.item, "•") for text in report.not_known]
        return story

    def canvas(self, title: str) -> Any:
        """Pages that know their number and how many there are."""
        from reportlab.lib.colors import HexColor
        from reportlab.pdfgen.canvas import Canvas

        regular = self.regular

        class NumberedCanvas(Canvas):  # type: ignore[misc]
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self._pages: list[dict[str, Any]] = []

            def showPage(self) -> None:  # noqa: N802
                self._pages.append(dict(self.__dict__))
                self._startPage()

            def save(self) -> None:
                for page in self._pages:
                    self.__dict__.update(page)
                    width, _ = self._pagesize
                    self.setFont(regular, 8)
                    self.setFillColor(HexColor(_GREY))
                    self.drawString(62.7, 34, title if len(title) <= 80 else title[:79] + "…")
                    self.drawRightString(width - 62.7, 34, f"page {self._pageNumber} of {len(self._pages)}")
                    super().showPage()
                super().save()

        return NumberedCanvas

    def _conversation(self, report: Report) -> list[Any]:
        colours = {UNKNOWN: _GREY}
        blocks = []
        for spoken in report.spoken:
            colour = colours.setdefault(spoken.name, _VOICES[(len(colours) - 1) % len(_VOICES)])
            others = (
                f' <font color="{_GREY}">(at the same time: {_xml(", ".join(spoken.others))})</font>' if spoken.others else ""
            )
            quote = f' <font name="{self.bold}" backColor="{_MARK}"> quote </font>' if spoken.quoted else ""
            lead = f'<font name="{self.bold}" color="{colour}">{_xml(spoken.name)}</font>{quote}{others} '
            for n, part in enumerate(_parts(spoken.text)):
                markup = (lead if n == 0 else "") + _xml(part)
                blocks.append(self._markup(markup, self.spoken, f"{clock(spoken.start)}–{clock(spoken.end)}" if n == 0 else ""))
        return blocks

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> Any:
        rows = [
            [self._paragraph(name, self.label), self._paragraph(capped(value, CELL_CHARACTERS), self.small)]
            for name, value in pairs
        ]
        return self._table(rows, [110, self.width - 110])

    def _talk(self, talk: Sequence[Talk]) -> Any:
        from reportlab.graphics.shapes import Drawing, Rect
        from reportlab.lib.colors import HexColor

        def bar(share: float) -> Any:
            drawing = Drawing(90, 9)
            drawing.add(Rect(0, 1, 90, 6, fillColor=HexColor(_RULE), strokeColor=None))
            drawing.add(Rect(0, 1, max(90 * share, 0.5), 6, fillColor=HexColor(_VOICES[0]), strokeColor=None))
            return drawing

        names = ("speaker", "talk time", "share", "", "words", "known by")
        rows = [[self._paragraph(name, self.label) for name in names]]
        for t in talk:
            name = t.name if t.name == t.label else f"{t.name} ({t.label})"
            cells = [
                self._paragraph(text, self.small)
                for text in (name, clock(t.seconds), f"{t.share:.0%}", str(t.words), t.known_by)
            ]
            rows.append([*cells[:3], bar(t.share), *cells[3:]])
        return self._table(rows, [120, 50, 36, 98, 40, self.width - 344], header=1)

    def _table(self, rows: list[list[Any]], widths: list[float], header: int = 0) -> Any:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import LongTable, TableStyle

        look = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_RULE))]
        pad = [
            (side, (0, 0), (-1, -1), points)
            for side, points in (("TOPPADDING", 1.5), ("BOTTOMPADDING", 2.5), ("LEFTPADDING", 0))
        ]
        return LongTable(rows, colWidths=widths, repeatRows=header, hAlign="LEFT", style=TableStyle(look + pad))

    def _paragraph(self, text: str, style: Any) -> Any:
        return self._markup(_xml(text), style)

    def _markup(self, markup: str, style: Any, bullet: str | None = None) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(markup, style, bulletText=bullet or None)


def _registered(font: bytes) -> str:
    """Name under which reportlab knows a font; by its hash, so that it is read once and two fonts never meet."""
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    name = f"F{hashlib.sha256(font).hexdigest()[:12]}"
    if name not in getRegisteredFontNames():
        registerFont(TTFont(name, io.BytesIO(font)))
    return name


def _xml(text: str) -> str:
    """The text as reportlab's paragraphs read it: nothing in it is markup."""
    return escape(" ".join(piece for word in written(text).split(" ") for piece in _pieces(word)))


def _pieces(word: str) -> list[str]:
    return [word[n : n + WORD_CHARACTERS] for n in range(0, len(word), WORD_CHARACTERS)]


def _parts(text: str) -> list[str]:
    """The text in stretches of whole words that a paragraph holds."""
    parts: list[list[str]] = [[]]
    length = 0
    for word in text.split():
        if length + len(word) > PARAGRAPH_CHARACTERS and parts[-1]:
            parts.append([])
            length = 0
        parts[-1].append(word)
        length += len(word) + 1
    return [" ".join(part) for part in parts if part]
