"""The ATIF reader: pairing, sub-agents, continued runs and ids."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from transcripts import SAMPLES, only, write

from mcp_memory.readers import READERS, atif, detect


def run(*steps: Mapping[str, object], **keys: object) -> dict[str, object]:
    return {"schema_version": "ATIF-v1.4", "session_id": "s", "steps": list(steps), **keys}


def test_a_result_belongs_to_the_call_that_it_names() -> None:
    main = next(atif.read(SAMPLES / "atif" / "ordinary.json"))
    seen = {o.call_id: o.text for o in main.steps[2].observations}
    assert seen == {"a": "1 failed", "b": "def rows(): ..."}
    assert [c.command for c in main.steps[2].calls] == ["pytest -q", None]


def test_an_embedded_sub_agent_is_a_session_of_its_parent() -> None:
    main, review = atif.read(SAMPLES / "atif" / "ordinary.json")
    assert review.parent == main.id
    assert review.goal == "Review the change."


def test_copied_steps_are_counted_and_give_the_goal(tmp_path: Path) -> None:
    copied = {"source": "user", "message": "fix it", "is_copied_context": True}
    trajectory = only(write(tmp_path / "x", run(copied, {"source": "agent", "message": "yes"})))
    assert trajectory.goal == "fix it"
    assert trajectory.skipped == {"step:copied": 1}
    assert [step.text for step in trajectory.steps] == ["yes"]


def test_runs_that_share_a_session_id_are_told_apart_by_their_first_moment(tmp_path: Path) -> None:
    began = [{"source": "user", "message": "a", "timestamp": f"2026-01-0{n}"} for n in (1, 2)]
    first, second = (only(write(tmp_path / "x", run(step))).id for step in began)
    grown = only(write(tmp_path / "x", run(began[0], {"source": "agent", "message": "b"}))).id
    assert first == grown != second


def test_tokens_are_summed_where_the_file_has_no_total(tmp_path: Path) -> None:
    step = {"source": "agent", "message": "a", "metrics": {"prompt_tokens": 3}}
    assert only(write(tmp_path / "x", run(step, step))).tokens_in == 6


@pytest.mark.parametrize("version", ["1.0", "1.4", "1.6", "1.7", "2.0"])
def test_every_schema_version_is_claimed(tmp_path: Path, version: str) -> None:
    path = write(tmp_path / "x", run(schema_version=f"ATIF-v{version}"))
    assert detect(path).FORMAT == "atif"


def test_a_file_that_only_mentions_the_schema_is_not_claimed(tmp_path: Path) -> None:
    path = write(tmp_path / "x", {"type": "user", "message": {"schema_version": "ATIF-v1.7"}})
    assert not any(reader.FORMAT == "atif" and reader.recognize(path) for reader in READERS)
