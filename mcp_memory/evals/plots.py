"""Plots: what runs measured as SVG, drawn by hand: reliability, quality against time and size."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from mcp_memory.evals import scorers
from mcp_memory.evals.running import Record

WIDTH, HEIGHT, EDGE = 560, 380, 56
BINS = 10
_COLOURS = ("#0b6e99", "#b04a2f", "#4c7a34", "#7a4c8f", "#8a6d1d", "#555555", "#c2417c", "#2f4bb0")
_STYLE = "font-family:sans-serif;font-size:12px"


class Axes:
    """A frame from which values are placed; `log` for the horizontal one."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float], *, log: bool) -> None:
        self._across, self._up, self._log = across, up, log
        self.drawn: list[str] = []

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies, in pixels."""
        low, high = self._across
        share = math.log(x / low) / math.log(high / low) if self._log else (x - low) / (high - low)
        rise = (y - self._up[0]) / (self._up[1] - self._up[0])
        return EDGE + share * (WIDTH - 2 * EDGE), HEIGHT - EDGE - rise * (HEIGHT - 2 * EDGE)

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False
    ) -> None:
        """A line through points."""
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self.drawn.append(f'<polyline points="{told}" fill="none" stroke="{colour}"{dash}/>')

    def dot(self, x: float, y: float, colour: str, label: str = "") -> None:
        """A point, with words beside it."""
        across, down = self.at(x, y)
        self.drawn.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="4" fill="{colour}"/>')
        if label:
            self._text(across + 7, down + 4, label)

    def key(self, name: str, colour: str, place: int) -> None:
        """What a line is, in the lower left corner."""
        across, down = EDGE + 12, HEIGHT - EDGE - 14 - 16 * place
        self.drawn.append(f'<circle cx="{across}" cy="{down - 4}" r="4" fill="{colour}"/>')
        self._text(across + 9, down, name)

    def svg(self, title: str, across: str, up: str, ticks: Mapping[str, Sequence[float]]) -> str:
        """The whole picture."""
        left, bottom = self.at(self._across[0], self._up[0])
        right, top = self.at(self._across[1], self._up[1])
        frame = [
            (
                f'<rect x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" '
                f'height="{bottom - top:.0f}" fill="none" stroke="#999"/>'
            )
        ]
        drawn, self.drawn = self.drawn, frame
        for value in ticks["across"]:
            self._text(self.at(value, self._up[0])[0], bottom + 16, f"{value:g}", anchor="middle")
        for value in ticks["up"]:
            self._text(left - 6, self.at(self._across[0], value)[1] + 4, f"{value:g}", anchor="end")
        self._text(WIDTH / 2, 22, title, anchor="middle")
        self._text(WIDTH / 2, HEIGHT - 14, across, anchor="middle")
        self._text(8, top - 10, up)
        body = "\n".join([*self.drawn, *drawn])
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'style="{_STYLE}" role="img" aria-label="{escape(title)}">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
        )

    def _text(self, x: float, y: float, text: str, *, anchor: str = "start") -> None:
        self.drawn.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )


def reliability(records: Iterable[Record]) -> str:
    """Of the hits of each score, the share whose question has its answer in the bank."""
    bins: list[list[bool]] = [[] for _ in range(BINS)]
    for record in records:
        bins[min(BINS - 1, int(record.score * BINS))].append(not record.absent)
    axes = Axes((0, 1), (0, 1), log=False)
    axes.line([(0, 0), (1, 1)], "#999", dashed=True)
    points = [((place + 0.5) / BINS, sum(told) / len(told), len(told))
              for place, told in enumerate(bins) if told]  # fmt: skip
    axes.line([(x, y) for x, y, _ in points], _COLOURS[0])
    for x, y, count in points:
        axes.dot(x, y, _COLOURS[0], f"{count}")
    fifths = (0, 0.2, 0.4, 0.6, 0.8, 1)
    return axes.svg("How often a score is right (n beside each)", "score of the best hit",
                    "share of questions with an answer", {"across": fifths, "up": fifths})  # fmt: skip


def quality_by_time(records: Iterable[Record], measure: str) -> str:
    """Each system's mean score over its median time."""
    systems: dict[str, list[Record]] = {}
    for record in records:
        if measure in record.scores:
            systems.setdefault(record.system, []).append(record)
    points = {
        name: (
            max(0.1, scorers.percentile([one.milliseconds for one in told], 0.5)),
            sum(one.scores[measure] for one in told) / len(told),
        )
        for name, told in systems.items()
    }
    most = 10 ** math.ceil(math.log10(max((x for x, _ in points.values()), default=1) * 1.01))
    axes = Axes((0.1, most), (0, 1), log=True)
    for place, (name, (x, y)) in enumerate(points.items()):
        axes.dot(x, y, _COLOURS[place % len(_COLOURS)], name)
    decades = [10**n for n in range(-1, round(math.log10(most)) + 1)]
    return axes.svg(f"{measure} against time", "median milliseconds a question (log)", measure,
                    {"across": decades, "up": (0, 0.2, 0.4, 0.6, 0.8, 1)})  # fmt: skip


def quality_by_size(systems: Mapping[str, Mapping[int, float]], measure: str) -> str:
    """Each system's score over the number of rows that its bank holds."""
    sizes = sorted({size for told in systems.values() for size in told})
    axes = Axes((sizes[0], max(sizes[-1], sizes[0] * 10)), (0, 1), log=True)
    for place, (name, told) in enumerate(systems.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        axes.line(sorted(told.items()), colour)
        for size, value in told.items():
            axes.dot(size, value, colour, name if size == sizes[0] else "")
    return axes.svg(f"{measure} as a bank grows", "rows (log)", measure,
                    {"across": sizes, "up": (0, 0.2, 0.4, 0.6, 0.8, 1)})  # fmt: skip


def time_by_size(systems: Mapping[str, Mapping[int, float]], title: str) -> str:
    """Each system's milliseconds over the number of rows, and dashed where ten times as many would lead."""
    sizes = sorted({size for told in systems.values() for size in told})
    ahead = sizes[-1] * 10
    axes = Axes((sizes[0], ahead), (0, 4), log=True)
    for place, (name, told) in enumerate(systems.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        points = [(float(size), math.log10(ms)) for size, ms in sorted(told.items())]
        (_, before), (size, last) = points[-2:]
        axes.line(points, colour)
        axes.line([(size, last), (size * 10, min(4.0, 2 * last - before))], colour, dashed=True)
        for point in points:
            axes.dot(*point, colour)
        axes.key(name, colour, place)
    return axes.svg(title, "rows (log)", "milliseconds: 10 to the power of",
                    {"across": [*sizes, ahead], "up": (0, 1, 2, 3, 4)})  # fmt: skip


def right_over_time(curves: Mapping[str, Sequence[tuple[int, float]]], title: str) -> str:
    """Shares of right answers while a bank takes episodes in, a line each."""
    most = max((x for points in curves.values() for x, _ in points), default=1)
    least = min((x for points in curves.values() for x, _ in points), default=1)
    axes = Axes((least, max(most, least + 1)), (0, 1), log=True)
    for place, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        axes.line(points, colour)
        for x, y in points:
            axes.dot(x, y, colour)
        axes.key(name, colour, place)
    stops = sorted({x for points in curves.values() for x, _ in points})
    return axes.svg(title, "episodes (log)", "share of lookups answered right",
                    {"across": stops[::2], "up": (0, 0.2, 0.4, 0.6, 0.8, 1)})  # fmt: skip


def write(folder: Path, name: str, drawn: str) -> Path:
    """A picture as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    path.write_text(drawn, encoding="utf-8")
    return path
