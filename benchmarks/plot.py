"""The figures as a picture for pages of any colour: it has no ground, and its inks stand out on white and on black."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from .harness import Result
from .players import AIOHTTP, ASYNC, BUFFERED, COMMAND, PROTOCOL, PYLXD, QUERY, SAME_STEPS, STREAM, SYNC
from .report import Report, figure
from .start import BARE

__all__ = ["draw"]

OURS, THEIRS, FLOOR, INK = "#3b82f6", "#a1a1aa", "#d0a03c", "#7b7f87"
"""Of the library, of other clients, of what no client can be below, and of text."""

WIDTH, HEIGHT = 3.35, 1.95
"""Of a chart, in inches."""
LABELS = 0.4
"""The part of a chart's width that is for names."""
GAPS = {"wspace": LABELS / (1 - LABELS), "hspace": 0.34}
SHORT = {
    BARE: "bare interpreter",
    STREAM: "raw socket",
    PROTOCOL: "raw Protocol",
    BUFFERED: "raw, one buffer",
    SAME_STEPS: "aiohttp by hand",
}
LEGEND = "Less is better. Blue: this library. Grey: others. Yellow: the least that a Python program can do."


@dataclass(frozen=True)
class Panel:
    """One of the charts.

    Attributes:
        case: Key of the case.
        measure: `wall`, `cpu` or `memory`.
        title: What is measured.
        contestants: Whose bars are drawn, from top to bottom.
    """

    case: str
    measure: str
    title: str
    contestants: Sequence[str]


PANELS = (
    Panel("start", "wall", "Script to its first answer", (BARE, QUERY, ASYNC, SYNC, PYLXD, AIOHTTP)),
    Panel("get", "cpu", "Read one instance, CPU", (STREAM, ASYNC, SYNC, AIOHTTP, PYLXD)),
    Panel("get at once", "wall", "64 reads at once, time for each", (BUFFERED, PROTOCOL, ASYNC, SYNC, AIOHTTP, PYLXD)),
    Panel("list 1000", "cpu", "List 1,000 with state, CPU", (ASYNC, SYNC, AIOHTTP, PYLXD)),
    Panel("list 10000", "memory", "List 10,000 with state, peak memory", (ASYNC, SYNC, AIOHTTP, PYLXD)),
    Panel("life", "wall", "Create, start, echo, stop, delete", (ASYNC, SYNC, COMMAND, PYLXD)),
    Panel("run", "wall", "Run echo in a container", (ASYNC, SYNC, SAME_STEPS, COMMAND, PYLXD)),
    Panel("run", "cpu", "Run echo in a container, CPU", (ASYNC, SYNC, SAME_STEPS, COMMAND, PYLXD)),
    Panel("run at once", "wall", "Run echo 100 times, time for each", (ASYNC, SYNC, SAME_STEPS, COMMAND)),
    Panel("stdout", "wall", "Read 500 MB of output", (ASYNC, SYNC, SAME_STEPS, COMMAND, PYLXD)),
    Panel("stdin", "wall", "Write 500 MB of input", (ASYNC, SYNC, SAME_STEPS, COMMAND)),
    Panel("stdin", "cpu", "Write 500 MB of input, CPU", (ASYNC, SYNC, SAME_STEPS, COMMAND)),
)


def draw(report: Report, folder: Path) -> None:
    """Draw all panels of which there are figures, as `benchmarks.svg` and `benchmarks.png`."""
    found = {(result.case.key, result.contestant): result for result in report.results}
    panels: list[tuple[Panel, list[Result]]] = []
    for panel in PANELS:
        results = [found[panel.case, name] for name in panel.contestants if (panel.case, name) in found]
        panels += [(panel, results)] if results else []
    if panels:
        _draw(panels, folder)


def _draw(panels: Sequence[tuple[Panel, list[Result]]], folder: Path) -> None:
    matplotlib = import_module("matplotlib")  # so that the rest of the benchmarks works, and is checked, without
    matplotlib.use("Agg")
    pyplot = import_module("matplotlib.pyplot")
    style = {"font.family": "DejaVu Sans", "font.size": 9.5, "text.color": INK, "svg.hashsalt": "benchmarks"}
    with pyplot.rc_context(style):
        columns = min(3, len(panels))
        rows = -(-len(panels) // columns)
        size = (WIDTH * columns, HEIGHT * rows)
        figure_, axes = pyplot.subplots(rows, columns, figsize=size, squeeze=False, gridspec_kw=GAPS)
        for axis, (panel, results) in zip(axes.flat, panels, strict=False):
            _chart(axis, panel, results)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        figure_.subplots_adjust(left=LABELS / columns, right=1.0, top=1 - 0.17 / rows, bottom=0.17 / rows)
        figure_.text(0.004, 0.01, LEGEND, color=INK, fontsize=8.5)
        folder.mkdir(parents=True, exist_ok=True)
        figure_.savefig(folder / "benchmarks.svg", transparent=True, metadata={"Date": None})
        figure_.savefig(folder / "benchmarks.png", transparent=True, dpi=160)
        pyplot.close(figure_)


def _chart(axis: Any, panel: Panel, results: Sequence[Result]) -> None:
    """Draw bars with their figures, and no more lines than that takes."""
    values = [result.value(panel.measure) for result in results]
    places = range(len(results))
    axis.barh(places, values, height=0.66, color=[_colour(result.contestant) for result in results])
    for place, value, result in zip(places, values, results, strict=True):
        weight = "bold" if result.contestant in {ASYNC, SYNC} else "normal"
        text = figure(result, panel.measure)
        axis.text(value + max(values) * 0.02, place, text, va="center", color=INK, fontweight=weight)
    axis.set_yticks(places, [SHORT.get(result.contestant, result.contestant) for result in results], color=INK)
    for label, result in zip(axis.get_yticklabels(), results, strict=True):
        label.set_fontweight("bold" if result.contestant in {ASYNC, SYNC} else "normal")
    axis.set_title(panel.title, loc="left", x=-LABELS / (1 - LABELS), color=INK, fontsize=10.5, fontweight="bold")
    axis.set_xlim(0, max(values) * 1.52)
    axis.invert_yaxis()
    axis.tick_params(length=0)
    axis.set_xticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _colour(contestant: str) -> str:
    if contestant in {ASYNC, SYNC}:
        return OURS
    return FLOOR if contestant in {STREAM, PROTOCOL, BUFFERED, BARE} else THEIRS
