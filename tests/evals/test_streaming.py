"""A stream of facts and a lossy writer: the gate keeps what was known; without it, it is lost."""

from pathlib import Path

import pytest

from mcp_memory.evals import plots, streaming
from mcp_memory.evals.material import worlds
from mcp_memory.settings import Settings


def test_facts_are_sixty_four_in_words_of_their_own() -> None:
    known = worlds.facts()
    assert len(known) == 64
    assert len({fact.value for fact in known}) == 64
    assert worlds.told(known, 128) == worlds.told(known, 128)
    assert set(worlds.told(known, 64)) == set(known)


def test_a_reader_takes_the_first_value_that_is_said_of_what_was_asked() -> None:
    fact, other = worlds.facts()[:2]
    assert worlds.read([other.text, fact.text], fact) == fact.value
    assert worlds.read([f"The {fact.trait} of {fact.env} has a value of its own."], fact) == ""


@pytest.mark.timeout(300)
async def test_the_gate_keeps_what_was_known_and_without_it_a_lossy_writer_loses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every checkpoint looks all facts up: of a short run the first and the end are enough.
    monkeypatch.setattr(streaming, "CHECKPOINTS", (8,))
    settings = Settings(home=tmp_path / "none", embedding_model="hash", index_auto=False)
    checked = await streaming.run(settings, tmp_path, episodes=32, say=lambda _: None)
    ends = {name: curve[-1].right for name, curve in streaming.curves(checked).items()}
    only = ends["episodic only"]
    assert only > 0.9
    assert ends["forced, gate on"] >= only - 0.02
    assert ends["planned, gate on"] >= only - 0.02
    assert ends["forced, gate off"] < only - 0.05
    assert streaming.table(checked).count("\n") == 6
    lines = {name: [(one.episodes, one.right) for one in curve]
             for name, curve in streaming.curves(checked).items()}  # fmt: skip
    drawn = plots.write(tmp_path, "stream", plots.right_over_time(lines, "lookups")).read_text()
    assert "forced, gate off" in drawn


def test_a_drawdown_is_the_most_that_was_lost_from_one_checkpoint_to_a_later_one() -> None:
    at = [(8, 0.5), (16, 0.9), (32, 0.7), (64, 0.8)]
    curve = [
        streaming.Checked(regime="x", gated=True, episodes=n, right=r, memories=0, refused=0)
        for n, r in at
    ]
    assert streaming.drawdown(curve) == pytest.approx(0.2)
