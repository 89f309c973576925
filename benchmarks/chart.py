"""The comparison as a picture: bars per scenario, drawn as SVG without a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _FIGURE = 860, 250, 90
_BAR, _GAP, _TITLE, _MARGIN = 18, 5, 34, 20
_OURS, _PEER, _LIMIT = "#d9480f", "#8aa0b4", "#cfd8df"


@dataclass(frozen=True, slots=True)
class Bar:
    """`kind`: ours, peer or limit, which is its colour."""

    label: str
    value: float
    kind: str = "peer"


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of one scenario, on a scale of their own."""

    title: str
    bars: Sequence[Bar]


def _height(group: Group) -> int:
    return _TITLE + len(group.bars) * (_BAR + _GAP)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{escape(text)}</text>'


def _bar(bar: Bar, top: float, scale: float) -> list[str]:
    colour = {"ours": _OURS, "limit": _LIMIT}.get(bar.kind, _PEER)
    width = max(1.0, bar.value * scale)
    middle = top + _BAR * 0.72
    return [
        _text(
            _LABEL - 8, middle, bar.label, ' text-anchor="end"' + (' font-weight="bold"' if bar.kind == "ours" else "")
        ),
        f'<rect x="{_LABEL}" y="{top:.0f}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
        _text(_LABEL + width + 6, middle, f"{bar.value:,.0f}"),
    ]


def _group(group: Group, top: float) -> list[str]:
    most = max((bar.value for bar in group.bars), default=0.0) or 1.0
    scale = (_WIDTH - _LABEL - _FIGURE - _MARGIN) / most
    lines = [_text(_MARGIN, top + 20, group.title, ' font-weight="bold" font-size="14"')]
    for place, bar in enumerate(group.bars):
        lines += _bar(bar, top + _TITLE + place * (_BAR + _GAP), scale)
    return lines


def svg(title: str, groups: Sequence[Group]) -> str:
    """A whole document; longer is better in every group."""
    top = 50.0
    body = [_text(_MARGIN, 30, title, ' font-weight="bold" font-size="17"')]
    for group in groups:
        body += _group(group, top)
        top += _height(group) + 8
    height = top + _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {_WIDTH} {height:.0f}" font-family="sans-serif" font-size="12" fill="#1f2933">'
    )
    ground = f'<rect width="{_WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    return "\n".join([head, ground, *body, "</svg>"]) + "\n"
