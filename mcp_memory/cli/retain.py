"""`mcp-memory retain`: something that was learned is kept, or feedback given."""

import os
from collections.abc import Mapping
from datetime import datetime

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, show
from mcp_memory.domain.errors import NotAllowed
from mcp_memory.domain.models import Draft, Evidence, MemoryKind, Outcome, SourceClass

AGENTS = ("CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI", "OPENCODE", "CURSOR_AGENT", "AI_AGENT")
"""What agents set in the shells that they run commands in."""


@click.command("retain")
@click.argument("text", default="")
@click.option(
    "--kind",
    type=click.Choice([k.value for k in MemoryKind]),
    default="fact",
    show_default=True,
    help="What sort of thing was learned.",
)
@click.option("--title", default="", help="What it is about, in a few words.")
@click.option("--when-to-use", default="", help="The situation in which it helps.")
@click.option("--not-when", default="", help="Where it would mislead.")
@click.option("--evidence", multiple=True, help="A ref that shows it, t:…#12-15 or e:….2.")
@options.files
@click.option("--tag", "tags", multiple=True, help="A word to group it by; may be repeated.")
@click.option("--project", help="Default: this project; `user` for everywhere.")
@click.option("--supersedes", help="The memory that this replaces, m:….")
@click.option(
    "--valid-from", type=options.When("start"), metavar="WHEN", help="Since when it holds."
)
@click.option("--valid-to", type=options.When("end"), metavar="WHEN", help="Until when it holds.")
@click.option("--used", multiple=True, help="Feedback instead of TEXT: a ref that was used.")
@click.option(
    "--outcome",
    type=click.Choice([o.value for o in Outcome]),
    default="unknown",
    show_default=True,
    help="With --used: how it went.",
)
@options.as_json
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
    valid_from: datetime | None,
    valid_to: datetime | None,
    used: tuple[str, ...],
    outcome: str,
    as_json: bool,
) -> None:
    """Keep TEXT as your own word, or give feedback on what was used."""
    from mcp_memory.cli.opening import opened

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
            valid_from=valid_from,
            valid_to=valid_to,
        )
        show(await bank.retain(draft, by=_who(os.environ)), as_json=as_json)


def users_own(what: str) -> None:
    """Leave what only a person may say to a person; no barrier, but no agent does it unawares.

    Raises:
        NotAllowed: an agent's shell runs the command.
    """
    if _who(os.environ) is not SourceClass.USER:
        raise NotAllowed(
            f"an agent's shell runs this, and only the user may {what}.",
            next_step="Ask the user to type the command.",
        )


def _who(environment: Mapping[str, str]) -> SourceClass:
    """A person types here, unless an agent's shell does."""
    return SourceClass.AGENT if by_agent(environment) else SourceClass.USER


def by_agent(environment: Mapping[str, str]) -> bool:
    """Whether an agent's shell runs this command."""
    return any(environment.get(name) for name in AGENTS)
