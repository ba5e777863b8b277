"""Two plots as SVG text, readable on light and dark pages: bars of one quantity, dots of ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape

WIDTH = 760
LABEL_WIDTH = 190
VALUE_WIDTH = 110
ROW_HEIGHT = 26
BAR_HEIGHT = 16
TOP = 40
BOTTOM = 14
AXIS_HEIGHT = 28

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.muted { fill: #59636e; }
.bar-ours, .dot-ours { fill: #0969da; }
.bar-peer, .dot-peer { fill: #9aa4af; }
.dot-marked { fill: #bc4c00; }
.bar-floor { fill: none; stroke: #59636e; stroke-dasharray: 3 2; }
.bar-flawed, .dot-flawed { fill: none; stroke: #cf222e; }
.grid { stroke: #d1d9e0; }
.one { stroke: #0969da; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .muted { fill: #9198a1; }
  .bar-ours, .dot-ours { fill: #4493f8; }
  .bar-peer, .dot-peer { fill: #656c76; }
  .dot-marked { fill: #f0883e; }
  .bar-floor { stroke: #9198a1; }
  .bar-flawed, .dot-flawed { stroke: #f85149; }
  .grid { stroke: #3d444d; }
  .one { stroke: #4493f8; }
}
"""


class Kind(Enum):
    """Whose a mark is; the value is the end of its class in the style."""

    OURS = "ours"
    PEER = "peer"
    FLOOR = "floor"
    FLAWED = "flawed"
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar plot; `shown` is the value as text."""

    label: str
    value: float
    shown: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Dot:
    """One mark of a row; `ratio` is its place on the logarithmic axis."""

    label: str
    ratio: float
    kind: Kind


def _document(title: str, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}">'
    )
    named = f"<title>{escape(title)}</title>\n<style>{STYLE}</style>"
    heading = f'<text class="title" x="0" y="18">{escape(title)}</text>'
    return "\n".join([head, named, heading, *parts, "</svg>", ""])


def _label(text: str, row_top: float) -> str:
    middle = row_top + ROW_HEIGHT / 2 + 4
    return f'<text x="{LABEL_WIDTH - 10}" y="{middle:.1f}" text-anchor="end">{escape(text)}</text>'


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars from zero, in the order given."""
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    greatest = max((row.value for row in rows), default=0.0) or 1.0
    parts = []
    for place, row in enumerate(rows):
        top = TOP + place * ROW_HEIGHT
        width = max(1.0, room * row.value / greatest)
        bar_top = top + (ROW_HEIGHT - BAR_HEIGHT) / 2
        parts.append(_label(row.label, top))
        parts.append(
            f'<rect class="bar-{row.kind.value}" x="{LABEL_WIDTH}" y="{bar_top:.1f}" '
            f'width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"/>'
        )
        parts.append(
            f'<text class="muted" x="{LABEL_WIDTH + width + 6:.1f}" '
            f'y="{top + ROW_HEIGHT / 2 + 4:.1f}">{escape(row.shown)}</text>'
        )
    return _document(title, TOP + len(rows) * ROW_HEIGHT + BOTTOM, parts)


def ticks(least: float, greatest: float) -> list[float]:
    """Values 1, 2 and 5 times a power of ten that cover the range, for a logarithmic axis."""
    found = []
    for power in range(math.floor(math.log10(least)), math.ceil(math.log10(greatest)) + 1):
        found += [step * 10.0**power for step in (1, 2, 5)]
    below = [tick for tick in found if tick <= least]
    above = [tick for tick in found if tick >= greatest]
    return [tick for tick in found if max(below) <= tick <= min(above)]


def dots(title: str, axis: str, rows: Sequence[tuple[str, Sequence[Dot]]]) -> str:
    """One row of dots for each label, on a logarithmic axis with a line at 1."""
    ratios = [dot.ratio for _, marks in rows for dot in marks] + [1.0]
    scale = ticks(min(ratios), max(ratios) * 1.001)
    low, high = math.log10(scale[0]), math.log10(scale[-1])
    room = WIDTH - LABEL_WIDTH - 20

    def across(ratio: float) -> float:
        return LABEL_WIDTH + room * (math.log10(ratio) - low) / (high - low)

    first = TOP + AXIS_HEIGHT
    bottom = first + len(rows) * ROW_HEIGHT
    parts = [f'<text class="muted" x="0" y="{TOP - 2}">{escape(axis)}</text>']
    for tick in scale:
        x, kind = across(tick), "one" if tick == 1 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{x:.1f}" y1="{first - 2}" x2="{x:.1f}" y2="{bottom}"/>'
        )
        parts.append(
            f'<text class="muted" x="{x:.1f}" y="{first - 7}" text-anchor="middle">{tick:g}</text>'
        )
    for place, (label, marks) in enumerate(rows):
        top = first + place * ROW_HEIGHT
        parts.append(_label(label, top))
        parts += [
            f'<circle class="dot-{dot.kind.value}" cx="{across(dot.ratio):.1f}" '
            f'cy="{top + ROW_HEIGHT / 2:.1f}" r="4.5"><title>{escape(dot.label)}: '
            f"{dot.ratio:.2f}</title></circle>"
            for dot in marks
        ]
    return _document(title, bottom + BOTTOM, parts)
