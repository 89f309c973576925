"""A flame graph of sampled stacks, drawn as SVG without a library: width is time, callers stand below what they call.

Gregg, "The Flame Graph", CACM 59(6), 2016. Paths are those within the checkout or the library, never the machine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from zlib import crc32

_WIDTH, _ROW, _TOP, _MARGIN = 1200, 17, 44, 10
_LEAST_SHARE = 0.002
"""Narrower frames are left out: nobody could read them."""
_LETTER_PX = 6.4

_FRAME = re.compile(r"^(?P<name>.*?) \((?P<path>[^()]+?)(?::\d+)?\)$")
_OURS = re.compile(r"(?:^|/)((?:server|actors|protocol|storage|config)/.*)")
_LIBRARY = re.compile(r".*(?:site-packages|lib/python3\.\d+)/(.*)")


@dataclass(slots=True)
class Node:
    """One function, called along one way. `samples` of it and of all that it called there."""

    label: str
    is_ours: bool = False
    samples: int = 0
    callees: dict[str, Node] = field(default_factory=dict)


def tree_of(stacks: Iterable[str]) -> Node:
    """Of stacks in py-spy's raw format, `outermost (path:line);…;innermost (path:line) count`; lines are merged."""
    root = Node("all")
    for stack in stacks:
        frames, _, count = stack.rpartition(" ")
        if not frames or not count.isdigit():
            continue
        node = root
        node.samples += int(count)
        for frame in frames.split(";"):
            label, is_ours = _label_of(frame)
            node = node.callees.setdefault(label, Node(label, is_ours))
            node.samples += int(count)
    return root


def _label_of(frame: str) -> tuple[str, bool]:
    """Function and file, and whether that is the product's."""
    found = _FRAME.match(frame)
    if found is None:
        return frame, False
    name, path = found["name"], found["path"]
    library = _LIBRARY.match(path)
    if library is not None:
        return f"{name} ({library[1]})", False
    ours = _OURS.search(path)
    return (f"{name} ({ours[1]})", True) if ours is not None else (f"{name} ({path.rpartition('/')[2]})", False)


def _depth(node: Node, least: float) -> int:
    return 1 + max((_depth(one, least) for one in node.callees.values() if one.samples >= least), default=0)


def svg(title: str, root: Node) -> str:
    """A whole document; the product's own frames are the warm ones. Hovering tells name and share."""
    whole = max(1, root.samples)
    depth = _depth(root, whole * _LEAST_SHARE)
    height = _TOP + depth * _ROW + _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="monospace" font-size="11" fill="#1f2933">'
    )
    ground = f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    said = (
        f'<text x="{_MARGIN}" y="26" font-family="sans-serif" font-size="16" font-weight="bold">{escape(title)}</text>'
    )
    scale = (_WIDTH - 2 * _MARGIN) / whole
    frames = _frames(root, _MARGIN, height - _MARGIN - _ROW, scale, whole)
    return "\n".join([head, ground, said, *frames, "</svg>"]) + "\n"


def _frames(node: Node, left: float, top: float, scale: float, whole: int) -> Iterator[str]:
    yield _box(node, left, top, node.samples * scale, node.samples / whole)
    for callee in sorted(node.callees.values(), key=lambda one: one.label):
        if callee.samples >= whole * _LEAST_SHARE:
            yield from _frames(callee, left, top - _ROW, scale, whole)
        left += callee.samples * scale


def _box(node: Node, left: float, top: float, width: float, share: float) -> str:
    shade = crc32(node.label.encode()) % 40
    colour = f"hsl({18 + shade // 2},85%,{62 + shade // 4}%)" if node.is_ours else f"hsl(208,18%,{74 + shade // 3}%)"
    letters = int((width - 6) / _LETTER_PX)
    text = node.label if len(node.label) <= letters else node.label[: letters - 1] + "…" if letters > 3 else ""
    return (
        f"<g><title>{escape(node.label)}: {share:.1%}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{max(0.5, width - 0.5):.1f}" height="{_ROW - 1}" fill="{colour}"/>'
        f'<text x="{left + 3:.1f}" y="{top + 12}">{escape(text)}</text></g>'
    )
