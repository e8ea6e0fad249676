"""The README's moving picture: the real tour, recorded in a terminal, as an SVG that plays by itself.

    python scripts/moving_picture.py docs/tour.svg

Every word is the tour's own; only the pauses are a reader's and not the machine's.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from rich.color import Color, ColorType
from rich.style import Style
from rich.text import Text
from terminal import played

COLUMNS, ROWS = 96, 30
SIZE, LEADING, CELL, EDGE = 13, 18, 8.1, 14
FIRST, A_LINE, LEAST, LAST = 1.6, 0.16, 1.1, 7.0
"""Seconds: before the first block, for each line of one, for any, and for the last."""
INK, PAPER, DIM = "#d8dee9", "#1e222a", "#7d8799"
INKS = {1: "#e06c75", 2: "#98c379", 3: "#e5c07b", 4: "#61afef", 5: "#c678dd", 6: "#56b6c2"}
_ERASED = re.compile(r"\x1b\[2K")


def recorded() -> list[str]:
    """The lines that the tour wrote to a terminal, with their colours."""
    command = [str(Path(sys.executable).with_name("mcp-memory")), "tour"]
    told = "".join(text for _, text in played(command, columns=COLUMNS))
    lines = _ERASED.sub("", told.replace("\r\n", "\n")).split("\n")
    shown = [line.split("\r")[-1].rstrip() for line in lines]
    while shown and not shown[-1]:
        shown.pop()
    return ["\x1b[1m$ mcp-memory tour\x1b[0m", *shown]


def blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """What appears at once: a heading with what stands below it, never more than fits."""
    block: list[str] = []
    for line in lines:
        if block and ("── " in line or len(block) >= ROWS - 2):
            yield block
            block = []
        block.append(line)
    yield block


def drawn(lines: Sequence[str]) -> str:
    """The picture."""
    made = list(blocks(lines))
    waits = [max(LEAST, A_LINE * len(block)) for block in made]
    waits[-1] = LAST
    whole = FIRST + sum(waits)
    style, body, line, at = [], [], 0, 0.0
    scroll = ["0%{transform:translateY(0)}"]
    for number, (block, wait) in enumerate(zip(made, waits, strict=True)):
        begin = 100 * at / whole
        style.append(f"@keyframes b{number}{{0%{{opacity:0}}{begin:.2f}%,100%{{opacity:1}}}}"
                     f".b{number}{{animation:b{number} {whole:.1f}s step-end infinite}}")  # fmt: skip
        body.append(f'<g class="b{number}">')
        body += [_line(text, line + place) for place, text in enumerate(block)]
        body.append("</g>")
        line += len(block)
        up = max(0, line - ROWS) * LEADING
        scroll.append(f"{begin:.2f}%{{transform:translateY(-{up}px)}}")
        at += wait + (FIRST if number == 0 else 0)
    style.append(f"@keyframes up{{{''.join(scroll)}}}"
                 f".up{{animation:up {whole:.1f}s step-end infinite}}")  # fmt: skip
    return _framed("".join(style), "\n".join(body))


def _line(told: str, number: int) -> str:
    text = Text.from_ansi(told)
    y = (number + 1) * LEADING
    parts = []
    for segment in text.render(_Plain()):
        style = segment.style or Style()
        ink = DIM if style.dim else _ink(style.color)
        bold = ' font-weight="bold"' if style.bold else ""
        filled = f' fill="{ink}"' if ink != INK else ""
        if segment.text.strip("\n"):
            shown = escape(segment.text.strip("\n"))
            parts.append(f"<tspan{filled}{bold}>{shown}</tspan>")
    return f'<text x="0" y="{y}" xml:space="preserve">{"".join(parts)}</text>' if parts else ""


class _Plain:
    """What rich asks a console for when it cuts a text into its styles."""

    @staticmethod
    def get_style(style: Style | str, *, default: Style | None = None) -> Style:
        """The style itself."""
        return style if isinstance(style, Style) else default or Style.null()


def _ink(color: Color | None) -> str:
    if color is None or color.type is ColorType.DEFAULT:
        return INK
    return INKS.get((color.number or 0) % 8, INK)


def _framed(style: str, body: str) -> str:
    width = round(COLUMNS * CELL + 2 * EDGE)
    height = ROWS * LEADING + 2 * EDGE + 22
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
 aria-label="mcp-memory tour, recorded: a past error is found, a memory kept, a runbook asked for">
<style>text{{font:{SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:{INK}}}
@media (prefers-reduced-motion){{*{{animation-play-state:paused!important}}}}{style}</style>
<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>
<circle cx="18" cy="16" r="5" fill="#e06c75"/><circle cx="34" cy="16" r="5" fill="#e5c07b"/>
<circle cx="50" cy="16" r="5" fill="#98c379"/>
<svg x="{EDGE}" y="26" width="{width - 2 * EDGE}" height="{ROWS * LEADING + 6}"><g class="up">
{body}
</g></svg>
</svg>
"""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawn(recorded()), encoding="utf-8")
