"""Commits: real repositories become months of steps that keep their numbers."""

import os
import subprocess
from pathlib import Path

import pytest

from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import SourceClass, Step, Trajectory
from mcp_memory.history import commits
from mcp_memory.history.repositories import index_repository
from mcp_memory.search import spans
from mcp_memory.settings import Settings
from mcp_memory.trajectories import linking

MARCH = 1_772_366_400
"""2026-03-01T12:00:00Z"""
DAY = 86_400


def git(place: Path, *arguments: str, at: int = MARCH) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": f"@{at} +0900",
        "GIT_COMMITTER_DATE": f"@{at} +0900",
    }
    done = subprocess.run(
        ["git", "-C", str(place), *arguments], env=environment, capture_output=True, check=True
    )
    return done.stdout.decode()


def commit(place: Path, name: str, message: str, *, at: int = MARCH, amend: bool = False) -> None:
    (place / name).write_text(f"{message}\n{at}\n", encoding="utf-8")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", message, *(["--amend"] if amend else []), at=at)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    place.mkdir()
    git(place, "init", "-q", "-b", "main")
    commit(place, "invoice.py", "Round invoices down\n\nThe heron asked for it.")
    commit(place, "ünder \tline.py", "Say it in two words", at=MARCH + DAY)
    return place


def steps_of(made: list[Trajectory]) -> dict[str, tuple[Step, ...]]:
    return {each.id: each.steps for each in made}


def test_a_commit_is_a_step_with_its_files_and_no_address(repository: Path) -> None:
    (month,) = commits.trajectories(commits.read(repository), {}, {})
    assert [step.number for step in month.steps] == [1, 2]
    first, second = month.steps
    assert first.text.startswith("Round invoices down\n\nThe heron asked for it.")
    assert first.at is not None
    assert first.at.timestamp() == MARCH
    assert first.source is SourceClass.EXTERNAL
    assert first.calls[0].arguments["files"] == ["invoice.py +4 -0"]
    assert second.calls[0].paths == ("ünder \tline.py",)
    assert first.calls[0].edits
    assert "example.org" not in month.model_dump_json()
    assert "Ada" in month.model_dump_json()


def test_numbers_stay_while_history_grows_and_is_rewritten(repository: Path) -> None:
    before = commits.trajectories(commits.read(repository), {}, {})
    commit(repository, "invoice.py", "Say it in one word", at=MARCH + 2 * DAY, amend=True)
    (after,) = commits.trajectories(commits.read(repository), steps_of(before), {})
    kept, lost, new = after.steps
    assert kept == before[0].steps[0]
    assert lost.abandoned
    assert lost.text == before[0].steps[1].text
    assert (new.number, new.text.splitlines()[0]) == (3, "Say it in one word")


def test_a_history_too_long_leaves_the_oldest_out(repository: Path) -> None:
    history = commits.read(repository, most_bytes=200)
    assert not history.whole
    assert [each.message for each in history.entries] == ["Say it in two words"]


def test_an_empty_repository_has_no_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert commits.read(tmp_path).entries == ()


def test_what_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read a repository"):
        commits.read(tmp_path)


def test_without_git_it_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(InvalidInput, match="not installed"):
        commits.read(repository)


def test_programs_that_the_repository_names_do_not_run(repository: Path) -> None:
    mark = repository.parent / "ran"
    program = repository.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    for name in ("diff.external", "diff.x.textconv", "core.pager", "core.fsmonitor", "gpg.program"):
        git(repository, "config", name, str(program))
    git(repository, "config", "log.showSignature", "true")
    (repository / ".git" / "info" / "attributes").write_text("* diff=x\n", encoding="utf-8")
    assert len(commits.read(repository).entries) == 2
    assert not mark.exists()


async def test_a_commit_is_indexed_once_and_found(repository: Path, settings: Settings) -> None:
    async with open_bank(settings, cwd=str(repository)) as bank:
        first = await index_repository(bank.rooms, repository)
        again = await index_repository(bank.rooms, repository)
        assert (first.status, first.steps, again.status) == ("indexed", 2, "unchanged")
        found = await bank.search(Query(texts=("why round invoices down heron",)))
        assert any("Round invoices down" in hit.text for hit in (*found.hits, *found.nearest))
    by_file = next(settings.archive_dir.rglob("by-file.md")).read_text(encoding="utf-8")
    assert "`invoice.py`" in by_file
    assert "#1*" in by_file


async def test_a_purged_commit_does_not_come_back(repository: Path, settings: Settings) -> None:
    async with open_bank(settings, cwd=str(repository)) as bank:
        await index_repository(bank.rooms, repository)
        (listed,) = await bank.listing("sessions")
        gone = [f"{listed.ref}#1"]
        asked = await bank.delete(gone)
        await bank.delete(gone, mode="purge", confirm=asked.confirm or "")
        commit(repository, "later.py", "Go on", at=MARCH + 3 * DAY)
        report = await index_repository(bank.rooms, repository)
        assert report.steps == 3
    steps = next(settings.archive_dir.rglob("steps.jsonl")).read_text(encoding="utf-8")
    assert "heron" not in steps
    assert "Go on" in steps


async def test_a_commit_names_the_session_that_edited_its_files(
    repository: Path, settings: Settings
) -> None:
    tour = Path(__file__).parent.parent.parent / "mcp_memory" / "cli" / "samples" / "orders.jsonl"
    told = tour.read_text(encoding="utf-8").replace("{project}", repository.as_posix())
    session = repository.parent / "orders.jsonl"
    session.write_text(told, encoding="utf-8")
    async with open_bank(settings, cwd=str(repository)) as bank:
        await bank.index([session])
        rows = [r for r in await bank.rooms.store.sessions() if r.format != commits.FORMAT]
        trace = linking.trace(await spans.trajectory(bank.rooms, rows[0]), project=str(repository))
        last = trace.edited[-1]
        path = repository / last.path
        path.parent.mkdir(parents=True, exist_ok=True)
        commit(repository, last.path, "Mend orders", at=int(last.at.timestamp()) + 60)
        await index_repository(bank.rooms, repository)
    lines = [p.read_text(encoding="utf-8") for p in settings.archive_dir.rglob("steps.jsonl")]
    linked = next(text for text in lines if "Mend orders" in text)
    assert f"t:{rows[0].id}#{last.step} edited 1 of its 1 files" in linked
