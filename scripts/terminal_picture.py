"""Terminal panes as an SVG: two beside each other, a verdict below. Pure text in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

COLUMNS: Final = 74
"""Characters of a line; longer ones end in `…`."""

_FONT_PX, _CHARACTER_PX, _ROW_PX = 13, 7.83, 19
_PAD_PX, _GAP_PX, _TITLE_PX, _VERDICT_PX = 14, 14, 30, 52
_PANE_WIDTH_PX = round(COLUMNS * _CHARACTER_PX) + 2 * _PAD_PX
_COLORS: Final = {
    "plain": "#c9d1d9",
    "prompt": "#79c0ff",
    "good": "#7ee787",
    "bad": "#ff7b72",
    "quiet": "#8b949e",
}
_LOOSE: Final = ("", "quiet")
_STYLE: Final = (
    f"text{{font:{_FONT_PX}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}"
    + "".join(f".{name}{{fill:{color}}}" for name, color in _COLORS.items())
    + ".title{fill:#8b949e;font-weight:600}.verdict{fill:#7ee787;font-size:17px;font-weight:600}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was printed. `tone` is one of "", plain, prompt, good, bad, quiet; "" and quiet may be left out."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Pane:
    """A terminal with a title; `rows` lines of it are shown."""

    title: str
    lines: Sequence[Line]
    rows: int


def shortened(lines: Sequence[Line], rows: int) -> list[Line]:
    """At most so many lines: the important ones, as many others as fit, evenly, and `…` where some are left out.

    Raises ValueError when the important ones alone do not fit.
    """
    important = {index for index, line in enumerate(lines) if line.tone not in _LOOSE or index == len(lines) - 1}
    others = [index for index in range(len(lines)) if index not in important]
    for count in range(min(len(others), rows), -1, -1):
        evenly = {others[step * len(others) // count] for step in range(count)}
        if len(shown := _with_gaps(lines, important | evenly)) <= rows:
            return shown
    raise ValueError(f"{len(important)} important lines do not fit into {rows} rows")


def _with_gaps(lines: Sequence[Line], keep: set[int]) -> list[Line]:
    shown, before = [], -1
    for index in sorted(keep):
        if index != before + 1:
            shown.append(Line("…", "quiet"))
        shown.append(lines[index])
        before = index
    return shown


def picture(panes: Sequence[Pane], verdict: str) -> str:
    """The SVG: panes in rows of two, each row as high as its highest pane."""
    width = 2 * _PANE_WIDTH_PX + 3 * _GAP_PX
    parts: list[str] = []
    y = _GAP_PX
    for row in (panes[index : index + 2] for index in range(0, len(panes), 2)):
        shown = [shortened(pane.lines, pane.rows) for pane in row]
        height = _TITLE_PX + max(map(len, shown)) * _ROW_PX + 2 * _PAD_PX
        for column, (pane, lines) in enumerate(zip(row, shown, strict=True)):
            parts += _pane(pane.title, lines, _GAP_PX + column * (_PANE_WIDTH_PX + _GAP_PX), y, height)
        y += height + _GAP_PX
    parts.append(f'<text class="verdict" x="{width / 2:g}" y="{y + 24}" text-anchor="middle">{escape(verdict)}</text>')
    height = y + _VERDICT_PX - _GAP_PX
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(verdict)}">\n<style>{_STYLE}</style>\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="#010409"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _pane(title: str, lines: Sequence[Line], x: int, y: int, height: int) -> Iterator[str]:
    yield f'<rect x="{x}" y="{y}" width="{_PANE_WIDTH_PX}" height="{height}" rx="8" fill="#0d1117" stroke="#30363d"/>'
    for index, color in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        yield f'<circle cx="{x + 18 + 18 * index}" cy="{y + 16}" r="5" fill="{color}"/>'
    yield f'<text class="title" x="{x + 76}" y="{y + 21}">{escape(title)}</text>'
    for index, line in enumerate(lines):
        text = line.text if len(line.text) <= COLUMNS else f"{line.text[: COLUMNS - 1]}…"
        top = y + _TITLE_PX + _PAD_PX + _FONT_PX + index * _ROW_PX
        tone = line.tone or "plain"
        yield f'<text class="{tone}" x="{x + _PAD_PX}" y="{top}" xml:space="preserve">{escape(text)}</text>'
