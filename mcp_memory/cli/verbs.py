"""The six verbs as commands, and `undo`: the same words, the same bank calls as the tools."""

from datetime import datetime
from pathlib import Path

import click
import orjson

from mcp_memory.cli.door import command, opened, show
from mcp_memory.domain.asked import DeletionMode, Filter, Query, Task
from mcp_memory.domain.models import Draft, Evidence, MemoryKind, Outcome

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
project_option = click.option("--project", help="Project path or folder name; '*' for all.")
budget_option = click.option("--budget-tokens", type=click.IntRange(100, 100_000))
KINDS = ["fact", "procedure", "gotcha", "preference", "observation", "episode", "step"]


@click.command("search")
@click.argument("queries", nargs=-1, required=True)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS))
@click.option("--outcome", type=click.Choice([o.value for o in Outcome]))
@click.option("--since", type=click.DateTime())
@click.option("--until", type=click.DateTime())
@click.option("--path", default="", help="Only what touched this file.")
@click.option("--limit", type=click.IntRange(1, 50), default=8, show_default=True)
@project_option
@budget_option
@json_option
@command
async def search_command(
    queries: tuple[str, ...],
    kinds: tuple[str, ...],
    outcome: str | None,
    since: datetime | None,
    until: datetime | None,
    path: str,
    limit: int,
    project: str | None,
    budget_tokens: int | None,
    as_json: bool,
) -> None:
    """Ask past sessions and memories; several QUERIES share the answer."""
    query = Query.model_validate(
        {
            "texts": queries,
            "kinds": kinds,
            "project": project,
            "outcome": outcome,
            "since": since,
            "until": until,
            "path": path,
            "limit": limit,
            "budget_tokens": budget_tokens,
        }
    )
    async with opened() as bank:
        show(await bank.search(query), as_json=as_json)


@click.command("fetch")
@click.argument("refs", nargs=-1, required=True)
@click.option("--around", type=click.IntRange(0, 20), default=0, help="Steps before and after.")
@budget_option
@json_option
@command
async def fetch_command(
    refs: tuple[str, ...], around: int, budget_tokens: int | None, as_json: bool
) -> None:
    """Read in full what REFS name."""
    async with opened() as bank:
        show(await bank.fetch(refs, around=around, budget_tokens=budget_tokens), as_json=as_json)


@click.command("runbook")
@click.argument("task")
@click.option("--query", "queries", multiple=True, help="A question that the task raises.")
@click.option("--error", default="", help="An error text to get past.")
@click.option("--file", "files", multiple=True)
@project_option
@budget_option
@json_option
@command
async def runbook_command(
    task: str,
    queries: tuple[str, ...],
    error: str,
    files: tuple[str, ...],
    project: str | None,
    budget_tokens: int | None,
    as_json: bool,
) -> None:
    """Evidence-backed instructions for one TASK."""
    asked = Task(
        text=task,
        queries=queries,
        error=error,
        files=files,
        project=project,
        budget_tokens=budget_tokens,
    )
    async with opened() as bank:
        show(await bank.runbook(asked), as_json=as_json)


@click.command("retain")
@click.argument("text", default="")
@click.option("--kind", type=click.Choice([k.value for k in MemoryKind]), default="fact")
@click.option("--title", default="")
@click.option("--when-to-use", default="")
@click.option("--not-when", default="")
@click.option("--evidence", multiple=True, help="A ref that shows it, t:…#12-15 or e:….2.")
@click.option("--file", "files", multiple=True)
@click.option("--tag", "tags", multiple=True)
@click.option("--project", help="Default: this project; `user` for everywhere.")
@click.option("--supersedes", help="The memory that this replaces, m:….")
@click.option("--used", multiple=True, help="Feedback instead of TEXT: a ref that was used.")
@click.option("--outcome", type=click.Choice([o.value for o in Outcome]), default="unknown")
@json_option
@command
async def retain_command(
    text: str,
    kind: str,
    title: str,
    when_to_use: str,
    not_when: str,
    evidence: tuple[str, ...],
    files: tuple[str, ...],
    tags: tuple[str, ...],
    project: str | None,
    supersedes: str | None,
    used: tuple[str, ...],
    outcome: str,
    as_json: bool,
) -> None:
    """Keep TEXT, or give feedback on what was used."""
    async with opened() as bank:
        if used:
            show(await bank.feedback(used, Outcome(outcome)), as_json=as_json)
            return
        draft = Draft(
            text=text,
            kind=MemoryKind(kind),
            title=title,
            when_to_use=when_to_use,
            not_when=not_when,
            evidence=tuple(Evidence(ref=ref, quote="") for ref in evidence),
            files=files,
            tags=tags,
            project=project,
            supersedes=supersedes,
        )
        show(await bank.retain(draft), as_json=as_json)


@click.command("consolidate")
@click.argument("action", type=click.Choice(["plan", "apply", "undo"]), default="plan")
@click.argument("argument", default="")
@click.option("--retire", multiple=True, help="A memory to put to rest, m:….")
@project_option
@json_option
@command
async def consolidate_command(
    action: str, argument: str, retire: tuple[str, ...], project: str | None, as_json: bool
) -> None:
    """`plan`, `apply FILE` (a JSON list of memories), or `undo BATCH`."""
    async with opened() as bank:
        if action == "plan":
            show(await bank.plan(project), as_json=as_json)
        elif action == "undo":
            show(await bank.undo(argument), as_json=as_json)
        else:
            drafts = _drafts(Path(argument)) if argument else ()
            show(await bank.apply(drafts, retire=retire), as_json=as_json)


def _drafts(path: Path) -> tuple[Draft, ...]:
    try:
        listed = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise click.ClickException(f"{path}: {error}. Nothing was changed.") from error
    if not isinstance(listed, list):
        raise click.ClickException(f"{path} is not a JSON list of memories. Nothing was changed.")
    return tuple(Draft.model_validate(item) for item in listed)


@click.command("delete")
@click.argument("refs", nargs=-1)
@click.option(
    "--mode", type=click.Choice(["preview", "forget", "restore", "purge"]), default="preview"
)
@click.option("--contains", default="", help="Exact words that the record's text holds.")
@click.option("--session", default="", help="A session, t:….")
@click.option("--in-project", default="")
@click.option("--path", default="", help="A file that the record touches.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS))
@click.option("--since", type=click.DateTime())
@click.option("--until", type=click.DateTime())
@click.option("--reason", default="")
@click.option("--confirm", default="", help="What the preview printed.")
@json_option
@command
async def delete_command(
    refs: tuple[str, ...],
    mode: DeletionMode,
    contains: str,
    session: str,
    in_project: str,
    path: str,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    reason: str,
    confirm: str,
    as_json: bool,
) -> None:
    """Preview, forget, restore or purge REFS, or what the options describe."""
    asked = Filter.model_validate(
        {
            "contains": contains,
            "session": session,
            "project": in_project,
            "path": path,
            "kinds": kinds,
            "since": since,
            "until": until,
        }
    )
    chosen = None if asked == Filter() else asked
    async with opened() as bank:
        done = await bank.delete(refs, chosen, mode=mode, reason=reason, confirm=confirm)
        show(done, as_json=as_json)


@click.command("undo")
@click.argument("batch")
@json_option
@command
async def undo_command(batch: str, as_json: bool) -> None:
    """Take BATCH back."""
    async with opened() as bank:
        show(await bank.undo(batch), as_json=as_json)
