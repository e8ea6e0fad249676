"""Recovery: prompts are kept of sessions that are gone, and of no other."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from mcp_memory.domain import refs
from mcp_memory.domain.models import Step
from mcp_memory.history import recovery
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories import indexing
from mcp_memory.trajectories.terms import Allowance

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVERYTHING = Allowance((), (), None, 4000)
WHOLE = refs.trajectory_id("claude_code", "a")


class Purged:
    def __init__(self, *sessions: str) -> None:
        self.sessions = sessions

    def session(self, trajectory: str) -> bool:
        return trajectory in self.sessions

    def step(self, trajectory: str, step: Step) -> bool:
        del trajectory, step
        return False

    def head(self, text: str) -> bool:
        del text
        return False


@pytest.fixture
def typed(tmp_path: Path) -> SessionRow:
    """What the indexer makes of a history whose one prompt is a month old."""
    path = tmp_path / "history.jsonl"
    at = (NOW - timedelta(days=30)).timestamp() * 1000
    prompt = {"display": "fix it", "timestamp": at, "project": "/p", "sessionId": "a"}
    path.write_bytes(orjson.dumps(prompt) + b"\n")
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    _, (prepared,) = indexing.prepare(path, {}, Purged(), EVERYTHING)
    return prepared.session


def test_what_was_typed_in_a_session_that_is_gone_is_kept(typed: SessionRow) -> None:
    assert not recovery.left_out(typed, {}, Purged(), EVERYTHING)


def test_a_session_that_the_bank_has_is_not_told_twice(typed: SessionRow) -> None:
    assert recovery.left_out(typed, {WHOLE}, Purged(), EVERYTHING)


def test_a_purged_session_does_not_come_back_by_its_prompts(typed: SessionRow) -> None:
    assert recovery.left_out(typed, {}, Purged(WHOLE), EVERYTHING)


def test_what_was_typed_just_now_waits_for_its_transcript(
    typed: SessionRow, tmp_path: Path
) -> None:
    path = tmp_path / "history.jsonl"
    day_before = NOW - timedelta(days=30) + timedelta(hours=3)
    os.utime(path, (day_before.timestamp(), day_before.timestamp()))
    _, (prepared,) = indexing.prepare(path, {}, Purged(), EVERYTHING)
    assert recovery.left_out(prepared.session, {}, Purged(), EVERYTHING)


def test_a_transcript_is_never_taken_for_prompts(tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "samples" / "claude_code" / "ordinary.jsonl"
    _, made = indexing.prepare(sample, {}, Purged(), EVERYTHING)
    assert made
    for one in made:
        assert not recovery.left_out(one.session, {one.session.id}, Purged(), EVERYTHING)


def test_prompts_that_name_no_folder_might_be_of_an_excluded_one(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"session_id":"a","ts":1767225600,"text":"fix it"}\n')
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    _, (prepared,) = indexing.prepare(path, {}, Purged(), EVERYTHING)
    some = Allowance((), ("~/secret",), None, 4000)
    assert recovery.left_out(prepared.session, {}, Purged(), some)
    assert not recovery.left_out(prepared.session, {}, Purged(), EVERYTHING)
