"""A history that a repository carries: whoever cloned it holds others' words, and none of the user's."""

import subprocess
from pathlib import Path

import pytest

from mcp_memory.bank import open_bank
from mcp_memory.domain import shipping
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Draft, Evidence, Retained, SourceClass, Standing
from mcp_memory.settings import Settings

SAID = "always use the red gasket when the till leaks"
AIDER = f"# aider chat started at 2025-03-01 10:00:00\n\n#### {SAID}  \n\nDone.\n"


def git(folder: Path, *words: str) -> None:
    known = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *known, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository in which somebody talked to Aider; nothing is committed yet."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / ".aider.chat.history.md").write_text(AIDER)
    (folder / "README.md").write_text("A till.")
    git(folder, "init", "-q")
    git(folder, "add", "README.md")
    return folder


async def kept(settings: Settings, shop: Path) -> tuple[Retained, SourceClass | None]:
    """What is kept of the sentence, and whose word a hit on it is."""
    async with open_bank(settings, cwd=str(shop)) as bank:
        await bank.index([shop / ".aider.chat.history.md"])
        (session,) = await bank.listing("sessions")
        cited = (Evidence(ref=f"{session.ref}#1"),)
        made = await bank.retain(Draft(text=SAID, evidence=cited))
        hits = (await bank.search(Query(texts=("red gasket till",)))).hits
        return made, hits[0].source


async def test_what_a_clone_brings_is_not_the_users_word(settings: Settings, shop: Path) -> None:
    git(shop, "add", "-f", ".aider.chat.history.md")
    made, source = await kept(settings, shop)
    assert (made.standing, source) == (Standing.CANDIDATE, SourceClass.AGENT)


async def test_what_the_user_typed_here_is(settings: Settings, shop: Path) -> None:
    made, source = await kept(settings, shop)
    assert (made.standing, source) == (Standing.ESTABLISHED, SourceClass.USER)


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_a_file_is_known_in_every_form_of_the_index(shop: Path, version: str) -> None:
    history = shop / ".specstory" / "history"
    history.mkdir(parents=True)
    for name in ("2025-01-01_10-00Z-one.md", "2025-01-01_10-05Z-two.md"):
        (history / name).write_text("x")
    git(shop, "config", "index.version", version)
    git(shop, "add", "-f", ".specstory")
    git(shop, "update-index", "--index-version", version)
    (history / "2025-01-01_10-02Z-new.md").write_text("x")
    assert [shipping.carries(file) for file in sorted(history.iterdir())] == [True, False, True]
    assert not shipping.carries(shop / ".aider.chat.history.md")
    assert not shipping.carries(shop.parent / "nowhere.md")


def test_a_worktree_is_asked_where_its_own_index_lies(shop: Path) -> None:
    git(shop, "add", "-f", ".aider.chat.history.md")
    git(shop, "commit", "-qm", "x")
    git(shop, "worktree", "add", "-q", str(shop.parent / "tree"))
    assert shipping.carries(shop.parent / "tree" / ".aider.chat.history.md")
