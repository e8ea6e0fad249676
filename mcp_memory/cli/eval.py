"""The `eval` command: how well search finds what it should, beside baselines, and two runs compared."""

import functools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson

from mcp_memory.cli import options
from mcp_memory.cli.door import command
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.evals import plots, reports, running, streaming
from mcp_memory.evals.board import TASKS
from mcp_memory.evals.material.samples import Half, Sources, Task
from mcp_memory.evals.systems import SYSTEMS
from mcp_memory.settings import Settings

FOLDER = click.Path(path_type=Path)


@click.group("eval")
def eval_command() -> None:
    """Measure search on benchmark data, beside baselines over the same rows."""


class Asked(NamedTuple):
    """What every run is asked: where its material lies, which half, which systems."""

    sources: Sources
    half: Half
    systems: tuple[str, ...]

    async def records(
        self, task: Task, out: Path | None, groups: tuple[str, ...] = (), most: int = 0
    ) -> list[running.Record]:
        """A task's results, kept where that was asked for; progress goes to stderr."""
        plan = running.Plan(task, self.systems, self.half, groups, most)
        said = running.run(plan, self.sources, Settings(), lambda line: click.echo(line, err=True))
        records = [record async for record in said]
        if out is not None:
            reports.keep(out, records)
        return records


def _asked(*systems: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options of every run, with these systems by default; the command is handed them as one."""
    dressed = options.several(
        click.option(
            "--data", type=FOLDER, required=True, help="Folder that holds benchmarks/ and gold/."
        ),
        click.option("--packs", type=FOLDER, help="Folder of unpacked projects, for coding tasks."),
        click.option("--work", type=FOLDER, help="Where banks are kept between runs."),
        click.option(
            "--half",
            type=click.Choice(["first", "second", "all"]),
            default="all",
            show_default=True,
            help="Which half of the questions: thresholds were chosen on the first.",
        ),
        click.option(
            *("--system", "-s", "systems"),
            multiple=True,
            type=click.Choice(list(SYSTEMS)),
            default=systems,
            help="Whose answers are measured; may be repeated.",
        ),
    )

    def told(body: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(body)
        def run(
            data: Path,
            packs: Path | None,
            work: Path | None,
            half: Half,
            systems: tuple[str, ...],
            **rest: Any,
        ) -> Any:
            folder = work or Path(tempfile.gettempdir()) / "mcp-memory-eval"
            asked = Asked(Sources(data, packs, folder), half, tuple(dict.fromkeys(systems)))
            return body(asked=asked, **rest)

        return dressed(run)

    return told


_out = click.option("--out", type=FOLDER, help="Keep every question's result in this folder.")


def _measured(name: str) -> click.Command:
    @click.command(name, help=(sys.modules[TASKS[name].__name__].__doc__ or ""))  # type: ignore[attr-defined]
    @_asked("ours")
    @click.option("--group", "groups", multiple=True, help="Only questions of this kind.")
    @click.option("--by-group", is_flag=True, help="Report every kind of question apart.")
    @click.option("--most", type=int, default=0, help="At most so many questions.")
    @_out
    @options.as_json
    @command
    async def measure(
        asked: Asked,
        groups: tuple[str, ...],
        by_group: bool,
        most: int,
        out: Path | None,
        as_json: bool,
    ) -> None:
        headline, half = TASKS[name].HEADLINE, asked.half
        records = await asked.records(TASKS[name], out, groups, most)
        made = reports.summaries(records, headline, groups=by_group)
        if as_json:
            told = {"task": name, "half": half, "headline": headline, "systems": made}
            click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        else:
            click.echo(f"{name}, {half} half" if half != "all" else f"{name}, all questions")
            click.echo(reports.table(made, headline))

    return measure


@eval_command.command("all")
@_asked("ours", "fts5", "bm25", "dense")
@_out
@command
async def all_command(asked: Asked, out: Path | None) -> None:
    """Every task whose data is there, in one run; those without data are named."""
    for name, task in TASKS.items():
        try:
            records = await asked.records(task, out)
        except InvalidInput as error:
            click.echo(f"{name}: left out. {error}\n")
            continue
        made = reports.summaries(records, task.HEADLINE, groups=True)
        click.echo(f"{name}, {asked.half}\n{reports.table(made, task.HEADLINE)}\n")


@eval_command.command("compare")
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--measure", default="", help="As in --json; the task's headline by default.")
@command
async def compare_command(first: Path, second: Path, measure: str) -> None:
    """Compare two runs that --out kept, question by question (paired bootstrap)."""
    one, other = reports.kept(first), reports.kept(second)
    click.echo(reports.compared(one, other, measure or TASKS[one[0].task].HEADLINE))


@eval_command.command("plot")
@click.argument("kept", nargs=-1, type=FOLDER, required=True)
@click.option("--to", type=FOLDER, required=True, help="Folder for the pictures.")
@command
async def plot_command(kept: tuple[Path, ...], to: Path) -> None:
    """Draw runs that --out kept: quality against time, and how often a score of ours is right."""
    records = [record for path in kept for record in reports.kept(path)]
    for name in dict.fromkeys(record.task for record in records):
        told = [record for record in records if record.task == name]
        measure = TASKS[name].HEADLINE
        drawn = {name: plots.quality_by_time(told, measure)}
        ours = [record for record in told if record.system == "ours"]
        if any(record.absent for record in ours):
            drawn[f"{name}-reliability"] = plots.reliability(ours)
        for title, picture in drawn.items():
            click.echo(plots.write(to, title, picture))


@eval_command.command("stream")
@click.option(
    "--episodes",
    type=click.IntRange(16, 4_096),
    default=streaming.EPISODES,
    help="How many episodes are told.",
)
@click.option(
    "--work", type=FOLDER, help="Where the banks are made; a temporary folder by default."
)
@click.option("--to", type=FOLDER, help="Folder for the picture.")
@command
async def stream_command(episodes: int, work: Path | None, to: Path | None) -> None:
    """What is still known while a lossy writer consolidates, with the gate and without."""
    with tempfile.TemporaryDirectory() as made:
        folder = work or Path(made)

        def say(line: str) -> None:
            click.echo(line, err=True)

        checked = await streaming.run(Settings(), folder, episodes=episodes, say=say)
    click.echo(streaming.table(checked))
    if to is not None:
        lines = {
            name: [(one.episodes, one.right) for one in curve]
            for name, curve in streaming.curves(checked).items()
        }
        drawn = plots.right_over_time(lines, "64 fixed lookups while episodes come in")
        click.echo(plots.write(to, "stream", drawn))


for _name in TASKS:
    eval_command.add_command(_measured(_name))
