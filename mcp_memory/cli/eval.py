"""The `eval` command: how well search finds what it should, beside baselines, and two runs compared."""

import sys
import tempfile
from pathlib import Path

import click
import orjson

from mcp_memory.cli.door import command
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.evals import plots, reports, running
from mcp_memory.evals.board import TASKS
from mcp_memory.evals.material.samples import Half, Sources
from mcp_memory.evals.systems import SYSTEMS
from mcp_memory.settings import Settings

FOLDER = click.Path(path_type=Path)


@click.group("eval")
def eval_command() -> None:
    """Measure search on benchmark data, beside baselines over the same rows."""


def _measured(name: str) -> click.Command:
    @click.command(name, help=(sys.modules[TASKS[name].__name__].__doc__ or ""))  # type: ignore[attr-defined]
    @click.option(
        "--data", type=FOLDER, required=True, help="Folder that holds benchmarks/ and gold/."
    )
    @click.option("--packs", type=FOLDER, help="Folder of unpacked projects, for coding tasks.")
    @click.option("--work", type=FOLDER, help="Where banks are kept between runs.")
    @click.option("--half", type=click.Choice(["first", "second", "all"]), default="all")
    @click.option(
        "--system",
        "-s",
        "systems",
        multiple=True,
        type=click.Choice(list(SYSTEMS)),
        default=["ours"],
    )
    @click.option("--group", "groups", multiple=True, help="Only questions of this kind.")
    @click.option("--by-group", is_flag=True, help="Report every kind of question apart.")
    @click.option("--most", type=int, default=0, help="At most so many questions.")
    @click.option("--out", type=FOLDER, help="Keep every question's result in this folder.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @command
    async def measure(
        data: Path,
        packs: Path | None,
        work: Path | None,
        half: Half,
        systems: tuple[str, ...],
        groups: tuple[str, ...],
        by_group: bool,
        most: int,
        out: Path | None,
        as_json: bool,
    ) -> None:
        task = TASKS[name]
        plan = running.Plan(task, tuple(dict.fromkeys(systems)), half, groups, most)
        folder = work or Path(tempfile.gettempdir()) / "mcp-memory-eval"
        sources = Sources(data, packs, folder)
        said = running.run(plan, sources, Settings(), lambda text: click.echo(text, err=True))
        records = [record async for record in said]
        if out is not None:
            reports.keep(out, records)
        made = reports.summaries(records, task.HEADLINE, groups=by_group)
        if as_json:
            told = {"task": name, "half": half, "headline": task.HEADLINE, "systems": made}
            click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        else:
            click.echo(f"{name}, {half} half" if half != "all" else f"{name}, all questions")
            click.echo(reports.table(made, task.HEADLINE))

    return measure


@eval_command.command("all")
@click.option("--data", type=FOLDER, required=True, help="Folder that holds benchmarks/ and gold/.")
@click.option("--packs", type=FOLDER, help="Folder of unpacked projects, for coding tasks.")
@click.option("--work", type=FOLDER, help="Where banks are kept between runs.")
@click.option("--half", type=click.Choice(["first", "second", "all"]), default="all")
@click.option(
    *("--system", "-s", "systems"),
    multiple=True,
    type=click.Choice(list(SYSTEMS)),
    default=["ours", "fts5", "bm25", "dense"],
)
@click.option("--out", type=FOLDER, help="Keep every question's result in this folder.")
@command
async def all_command(
    data: Path,
    packs: Path | None,
    work: Path | None,
    half: Half,
    systems: tuple[str, ...],
    out: Path | None,
) -> None:
    """Every task whose data is there, in one run; those without data are named."""
    sources = Sources(data, packs, work or Path(tempfile.gettempdir()) / "mcp-memory-eval")
    for name, task in TASKS.items():
        plan = running.Plan(task, tuple(dict.fromkeys(systems)), half)
        try:
            said = running.run(plan, sources, Settings(), lambda text: click.echo(text, err=True))
            records = [record async for record in said]
        except InvalidInput as error:
            click.echo(f"{name}: left out. {error}\n")
            continue
        if out is not None:
            reports.keep(out, records)
        click.echo(f"{name}, {half}")
        click.echo(
            reports.table(reports.summaries(records, task.HEADLINE, groups=True), task.HEADLINE)
        )
        click.echo("")


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


for _name in TASKS:
    eval_command.add_command(_measured(_name))
