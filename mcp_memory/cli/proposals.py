"""`mcp-memory proposals`, `approve` and `decline`: what waits for review, and what is decided of it."""

from pathlib import Path

import click

from mcp_memory.cli import options, remote
from mcp_memory.cli.door import command, print_json
from mcp_memory.cli.retain import users_own
from mcp_memory.domain import teams
from mcp_memory.domain.access import OWNER
from mcp_memory.domain.models import Retained
from mcp_memory.settings import Settings
from mcp_memory.text import guard

at = options.several(
    click.option(
        "--at",
        "url",
        default="",
        metavar="URL",
        help="A bank elsewhere; else MCP_MEMORY_TEAM_URL, else this machine's own.",
    ),
    remote.reaching,
)


@click.command("proposals")
@options.project
@at
@options.as_json
@command
async def proposals_command(
    project: str | None, url: str, token_file: Path | None, insecure: bool, as_json: bool
) -> None:
    """List what waits for somebody who may approve: who proposed it, and what it rests on."""
    if url or Settings().team_url:
        from mcp_memory.remote import reaching

        there = remote.team(url, token_file, insecure=insecure)
        async with reaching.open_remote(there.address, there.token) as bank:
            told = (await bank.proposals(project)).waiting
    else:
        told = await _own(project)
    if as_json:
        print_json([one.model_dump(mode="json", exclude_defaults=True) for one in told])
        return
    for one in told:
        _say(one)
    if not told:
        click.echo("Nothing waits.", err=True)


async def _own(project: str | None) -> tuple[teams.Waiting, ...]:
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import promotion
    from mcp_memory.search.channels import scope_of

    async with opened(vectors=False, project=project) as bank:
        scope = await scope_of(bank.rooms, project or "*")
        return await promotion.waiting(bank.rooms, scope.projects)


def _say(one: teams.Waiting) -> None:
    """A proposal as a reviewer reads it; its words are data."""
    marks = (one.ref, one.kind.value, one.at.date().isoformat(), one.project)
    click.echo(" · ".join((*marks, f"proposed by {one.proposed_by}", *one.flags)))
    lines = [one.title, one.text]
    lines += [f"When to use: {one.when_to_use}"] if one.when_to_use else []
    lines += [f"Not when: {one.not_when}"] if one.not_when else []
    lines += [f"Supersedes {one.supersedes}"] if one.supersedes else []
    lines += [f"Evidence: {each.ref} {each.quote}".rstrip() for each in one.evidence]
    lines += [] if one.evidence else ["No evidence: the proposer's word alone."]
    click.echo(guard.fence("\n".join(line for line in lines if line), label=one.ref))


@click.command("approve")
@click.argument("ref")
@at
@options.as_json
@command
async def approve_command(
    ref: str, url: str, token_file: Path | None, insecure: bool, as_json: bool
) -> None:
    """Let the proposal REF stand; not one's own."""
    users_own("approve a proposal")
    decision = teams.Decision(ref=ref, approve=True)
    _tell(await _decided(decision, url, token_file, insecure=insecure), as_json=as_json)


@click.command("decline")
@click.argument("ref")
@click.option("--reason", required=True, help="Why, for the proposer.")
@at
@options.as_json
@command
async def decline_command(
    ref: str, reason: str, url: str, token_file: Path | None, insecure: bool, as_json: bool
) -> None:
    """Put the proposal REF to rest; not one's own. `undo` takes it back."""
    users_own("decline a proposal")
    decision = teams.Decision(ref=ref, approve=False, reason=reason)
    _tell(await _decided(decision, url, token_file, insecure=insecure), as_json=as_json)


def _tell(decided: Retained, *, as_json: bool) -> None:
    """What was decided, and the batch by which it is taken back where the bank is."""
    if as_json:
        print_json(decided)
        return
    click.echo(f"{decided.ref} · {decided.standing.value} · batch {decided.batch}")
    for note in decided.notes:
        click.echo(guard.neutralise(note))


async def _decided(
    decision: teams.Decision, url: str, token_file: Path | None, *, insecure: bool
) -> Retained:
    if url or Settings().team_url:
        from mcp_memory.remote import reaching

        there = remote.team(url, token_file, insecure=insecure)
        async with reaching.open_remote(there.address, there.token) as bank:
            return await bank.decide(decision)
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import promotion

    async with opened() as own, own.silent():
        return await promotion.decide(own.rooms, decision.ref, decision, by=OWNER)
