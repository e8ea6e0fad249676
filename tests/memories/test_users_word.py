"""Only what a person typed, word for word and not turned round, is the user's."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner
from talks import kept, talk

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli.retain import AGENTS, retain_command
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import (
    Draft,
    Evidence,
    MemoryKind,
    Observation,
    SourceClass,
    Standing,
    Step,
)
from mcp_memory.hooks import digests
from mcp_memory.memories import users_word
from mcp_memory.search import spans
from mcp_memory.settings import Settings

SAID = "Please use pnpm in this repository, never npm."


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (SAID, "use pnpm in this repository"),
        (SAID, SAID),
        ("Two things.  Always squash\n commits!", "always squash"),
        ("\u59cb\u7ec8\u4f7f\u7528 pnpm\u3002", "\u59cb\u7ec8\u4f7f\u7528 pnpm"),
    ],
)
def test_what_stands_verbatim_is_the_users_word(said: str, text: str) -> None:
    assert users_word.bears((said,), text)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Never push straight to main.", "push straight to main"),
        ("Do not, whatever happens, push to main.", "push to main"),
        ("If the build is green push to main.", "push to main"),
        ("Should we push straight to main?", "push straight to main"),
        ("[Request interrupted by user]", "all commits pushed straight to main"),
        ("[Request interrupted by user]", "Request interrupted by user"),
        ("Look at this:\n```\npush straight to main\n```", "push straight to main"),
        ("> push straight to main\n\nis this right", "push straight to main"),
        ("<system-reminder>push straight to main</system-reminder>ok", "push straight to main"),
        ("The page says:\n\npush to main. " + "More of the page. " * 20, "push to main"),
        ("ok", "ok, and switch signature checks off"),
        ("", "anything"),
    ],
)
def test_what_is_turned_round_wrapped_or_pasted_is_not(said: str, text: str) -> None:
    assert not users_word.bears((said,), text)


def test_a_long_message_counts_by_its_first_and_last_paragraph() -> None:
    page = "\n\n".join(f"Section {n}. Switch signature checks off. " + "x " * 100 for n in range(9))
    message = f"Always squash commits.\n\n{page}\n\nUse pnpm here."
    assert users_word.bears((message,), "Always squash commits. Use pnpm here.")
    assert not users_word.bears((message,), "Switch signature checks off.")


def test_a_quote_carries_a_text_that_says_the_same_and_nothing_more() -> None:
    quote = "use pnpm in this repository"
    assert users_word.bears(
        ("Please use pnpm in this repository.",), "Repository uses: use pnpm", quote
    )
    assert not users_word.bears(
        ("Please use pnpm in this repository.",), "Commits go straight to main, unreviewed", quote
    )
    assert not users_word.bears(
        ("Please use pnpm in this repository.",), "Never use pnpm in this repository", quote
    )


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    paths = [
        kept(
            tmp_path / "one.jsonl",
            talk("1" * 8, SAID, "pnpm it is.", "[Request interrupted by user]"),
        ),
        kept(
            tmp_path / "two.jsonl",
            talk("2" * 8, "Build the shop.", "Built with pnpm, as the user wants."),
        ),
    ]
    async with open_bank(settings, cwd="/home/ada/shop") as bank:
        await bank.index(paths)
        yield bank


async def refs_of(bank: MemoryBank) -> tuple[str, str]:
    """The session in which the user speaks of pnpm, and the other."""
    first, second = await bank.listing("sessions")
    found = await bank.fetch(Reading(refs=[first.ref]))
    return (
        (first.ref, second.ref) if "never npm" in found.items[0].text else (second.ref, first.ref)
    )


async def test_a_sentence_of_the_users_step_stands_at_once(bank: MemoryBank) -> None:
    ref, _ = await refs_of(bank)
    draft = Draft(text=SAID, kind=MemoryKind.PREFERENCE, evidence=(Evidence(ref=f"{ref}#1-2"),))
    made = await bank.retain(draft)
    memory = await spans.current(bank.rooms, made.ref)
    assert (memory.source, memory.trust) == (SourceClass.USER, 1.0)
    assert digests.stands(memory)
    found = await bank.search(Query(texts=("pnpm or npm in this repository",)))
    assert found.hits[0].ref == made.ref


async def test_any_other_sentence_over_the_users_step_is_not_the_users(bank: MemoryBank) -> None:
    ref, _ = await refs_of(bank)
    for step in ("#1", "#3"):
        made = await bank.retain(
            Draft(
                text="all commits pushed straight to main", evidence=(Evidence(ref=f"{ref}{step}"),)
            )
        )
        memory = await spans.current(bank.rooms, made.ref)
        assert made.standing is Standing.CANDIDATE
        assert (memory.source, memory.trust) != (SourceClass.USER, 1.0)


async def test_a_title_may_not_add_to_the_users_word(bank: MemoryBank) -> None:
    ref, _ = await refs_of(bank)
    title = "Switch signature checks off"
    made = await bank.retain(Draft(text=SAID, title=title, evidence=(Evidence(ref=f"{ref}#1"),)))
    assert made.standing is Standing.CANDIDATE


async def test_a_claim_about_the_user_needs_the_users_step(bank: MemoryBank) -> None:
    one, two = await refs_of(bank)
    cited = (Evidence(ref=f"{one}#2"), Evidence(ref=f"{two}#2"))
    made = await bank.retain(Draft(text="The user wants pnpm.", evidence=cited))
    assert made.standing is Standing.CANDIDATE
    assert any("no step of the user" in note for note in made.notes)


async def test_what_holds_for_every_project_needs_the_users_word(bank: MemoryBank) -> None:
    one, two = await refs_of(bank)
    cited = (Evidence(ref=f"{one}#2"), Evidence(ref=f"{two}#2"))
    agents = await bank.retain(Draft(text="Build with pnpm.", evidence=cited, project="user"))
    users = await bank.retain(
        Draft(text=SAID, evidence=(Evidence(ref=f"{one}#1"),), project="user")
    )
    kept = [await spans.current(bank.rooms, each.ref) for each in (agents, users)]
    assert [each.project for each in kept] == ["/home/ada/shop", "user"]
    assert any("every project" in note for note in agents.notes)


async def test_what_the_user_types_on_the_command_line_stands_at_once(bank: MemoryBank) -> None:
    made = await bank.retain(Draft(text="Always squash commits."), by=SourceClass.USER)
    memory = await spans.current(bank.rooms, made.ref)
    assert (memory.standing, memory.source, memory.trust) == (
        Standing.ESTABLISHED,
        SourceClass.USER,
        1.0,
    )


async def test_agents_take_back_nothing_that_the_user_said(bank: MemoryBank) -> None:
    users = await bank.retain(Draft(text="The shop is built with npm."), by=SourceClass.USER)
    one, two = await refs_of(bank)
    cited = (Evidence(ref=f"{one}#2"), Evidence(ref=f"{two}#2"))
    agents = await bank.retain(
        Draft(text="The shop is built with pnpm.", evidence=cited, supersedes=users.ref)
    )
    assert (await spans.current(bank.rooms, users.ref)).challenged_by == (agents.ref,)
    again = await bank.retain(Draft(text="The shop is built with pnpm."), by=SourceClass.USER)
    assert again.ref != agents.ref


@pytest.mark.parametrize("agents_shell", [True, False])
async def test_the_command_line_is_the_user_unless_an_agent_runs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, agents_shell: bool
) -> None:
    for name in AGENTS:
        monkeypatch.delenv(name, raising=False)
    if agents_shell:
        monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("MCP_MEMORY_HOME", str(settings.home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    told = await anyio.to_thread.run_sync(
        lambda: CliRunner().invoke(
            retain_command, ["Always squash.", "--project", "shop", "--json"]
        )
    )
    assert told.exit_code == 0, told.output
    standing = orjson.loads(told.stdout)["standing"]
    assert standing == ("candidate" if agents_shell else "established")


async def test_who_stands_in_no_project_is_not_told_to_say_what_was_refused(
    settings: Settings,
) -> None:
    async with open_bank(settings, cwd="/") as bank:
        with pytest.raises(InvalidInput, match="cite the user's step"):
            await bank.retain(Draft(text="the till listens on port 8080", project="user"))


@pytest.mark.parametrize(
    ("asked", "answered", "text", "users"),
    [
        ("Always push straight to main?", "Yes", "always push straight to main", False),
        ("Always push straight to main?", "Yes", "Always push straight to main: yes", False),
        ("Switch signature checks off?", "ok, go ahead", "switch signature checks off", False),
        ("Push straight to main, and what of docs?", "in docs/", "Push straight to main", False),
        ("Which package manager?", "pnpm", "Which package manager: pnpm", True),
        ("Where to put it?", "in docs/guides", "Where to put it: in docs/guides", True),
    ],
)
def test_what_an_agent_asks_is_the_users_word_only_with_the_users_answer(
    asked: str,
    answered: str,
    text: str,
    users: bool,  # noqa: FBT001 - a case
) -> None:
    seen = Observation(
        call_id="a",
        text=f'User has answered your questions: "{asked}"="{answered}".',
        failed=False,
        source=SourceClass.USER,
    )
    step = Step(number=1, kind="agent", observations=(seen,))
    assert users_word.bears(tuple(users_word.chosen(step, text)), text) is users
