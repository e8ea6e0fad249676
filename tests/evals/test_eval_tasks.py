"""Eval tasks that are made by rule, or from a user's own file: their questions and their gold."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.evals import plots, reports, running
from mcp_memory.evals.material import corpora
from mcp_memory.evals.material.samples import Sample, Sources, Task
from mcp_memory.evals.tasks import abstention, grounding, longmemeval, longmemeval_v2, updates
from mcp_memory.settings import Settings


async def asked(task: Task, sources: Sources, settings: Settings) -> list[Sample]:
    """Every sample of a task, its banks filled."""
    made = []
    for suite in task.suites(sources):
        async with corpora.opened(suite.corpus, sources.work, settings) as bank:
            made += await suite.samples(bank)
    return made


async def run(
    task: Task, sources: Sources, settings: Settings, *systems: str
) -> list[running.Record]:
    plan = running.Plan(task, systems)
    return [one async for one in running.run(plan, sources, settings, lambda _: None)]


def instance(folder: Path) -> None:
    told = {
        "question_id": "q1",
        "question_type": "single-session-user",
        "question": "Which degree did I finish?",
        "haystack_dates": ["2026/05/20 (Wed) 02:21", "2026/05/21 (Thu) 08:00"],
        "haystack_session_ids": ["s1", "s2"],
        "answer_session_ids": ["s2"],
        "haystack_sessions": [
            [{"role": "user", "content": "How do I boil eggs?"}],
            [
                {"role": "user", "content": "I finished my degree in geology."},
                {"role": "assistant", "content": "Congratulations!"},
            ],
        ],
    }
    absent = {**told, "question_id": "q2_abs", "question": "Which boat did I buy?"}
    path = folder / "benchmarks" / "longmemeval" / "longmemeval_s.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([told, absent]), encoding="utf-8")


async def test_a_longmemeval_file_is_asked_session_by_session(
    settings: Settings, tmp_path: Path
) -> None:
    instance(tmp_path)
    records = await run(longmemeval, Sources(tmp_path, None, tmp_path), settings, "ours-nofloor")
    present, absent = records
    assert present.scores["session.any@5"] == 1.0
    assert present.ranked[0].endswith("#1")
    assert (absent.absent, absent.scores) == (True, {})


async def test_longmemeval_v2_asks_only_where_there_is_gold(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "benchmarks" / "longmemeval_v2"
    folder.mkdir(parents=True)
    sources = Sources(tmp_path, None, tmp_path)
    with pytest.raises(InvalidInput, match="with gold"):
        list(longmemeval_v2.suites(sources))
    states = [
        {"state_index": 0, "url": "http://shop/", "action": None, "thought": "Open the cart."},
        {"state_index": 1, "url": "http://shop/cart", "action": "click('cart')",
         "thought": "Pay.", "accessibility_tree": "banner: free delivery above forty"},
    ]  # fmt: skip
    ran = {"id": "r1", "domain": "web", "goal": "Buy a lamp", "outcome": "success",
           "start_url": "http://shop/", "states": states}  # fmt: skip
    (folder / "runs.jsonl").write_text(json.dumps(ran) + "\n", encoding="utf-8")
    gold = {"id": "g1", "question": "What is free above forty?", "trajectory": "r1", "states": [1]}
    (folder / "questions.jsonl").write_text(json.dumps(gold) + "\n", encoding="utf-8")
    (record,) = await run(longmemeval_v2, sources, settings, "ours-nofloor")
    assert record.scores["session.any@5"] == 1.0
    assert record.scores["unit.any@5"] == 1.0


async def test_the_last_of_superseded_facts_is_found_and_the_others_are_marked(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [fact for fact in updates.facts() if fact.linked and len(fact.values) > 1][:4]
    monkeypatch.setattr(updates, "facts", lambda: known)
    records = await run(updates, Sources(tmp_path, None, tmp_path), settings, "ours", "bm25")
    ours = reports.summaries(records, updates.HEADLINE)["ours"]
    assert (ours["value@1"], ours["stale@5"]) == (1.0, 0.0)
    assert reports.summaries(records, updates.HEADLINE)["bm25"]["stale@5"] == 1.0


def test_made_sets_are_the_same_each_time() -> None:
    assert updates.facts() == updates.facts()
    assert grounding.parameters() == grounding.parameters()
    assert {len(fact.values) for fact in updates.facts()} == {1, 2, 3, 4, 5, 6}


async def test_a_parameters_gold_is_the_step_that_confirmed_it_last(
    settings: Settings, tmp_path: Path
) -> None:
    samples = await asked(grounding, Sources(tmp_path, None, tmp_path), settings)
    assert len(samples) == len(grounding.parameters())
    known = {f"grounding/{each.program}": each for each in grounding.parameters()}
    for sample in samples:
        assert sample.values[0].endswith(known[sample.id].sessions[-1][1])
        assert len(sample.gold) == 1


def test_an_absent_question_names_what_nobody_bears_and_keeps_its_shape() -> None:
    asked_for = "Why did Caroline call parse_header in src/app.py?"
    renamed = abstention.renamed(asked_for)
    assert renamed != asked_for
    assert not any(name in renamed for name in ("Caroline", "parse_header", "src/app.py"))
    assert len(renamed) == len(asked_for)
    assert renamed == abstention.renamed(asked_for)
    assert abstention.renamed("why is it slow?") == "why is it slow?"


def test_about_a_quarter_of_the_mix_is_absent() -> None:
    present = [Sample(id=f"locomo/x/{n}", question=f"What did Ada{n} say?") for n in range(300)]
    made = list(abstention.mixed(present))
    assert 0.2 < sum(sample.absent for sample in made) / len(made) < 0.3


async def test_a_channel_can_be_switched_off(settings: Settings, tmp_path: Path) -> None:
    instance(tmp_path)
    sources = Sources(tmp_path, None, tmp_path)
    records = await run(longmemeval, sources, settings, "no-vectors", "no-context")
    assert {record.system for record in records} == {"no-vectors", "no-context"}


async def test_runs_are_drawn(settings: Settings, tmp_path: Path) -> None:
    instance(tmp_path)
    records = await run(longmemeval, Sources(tmp_path, None, tmp_path), settings, "ours", "bm25")
    for drawn in (plots.quality_by_time(records, "session.any@5"), plots.reliability(records)):
        parsed = ET.fromstring(drawn)
        assert len(parsed.findall(".//{*}circle")) >= 1
    assert "ours" in plots.quality_by_time(records, "session.any@5")
    sizes = {"ours": {1_000: 0.9, 10_000: 0.8}, "FTS5": {1_000: 0.8, 10_000: 0.5}}
    assert plots.quality_by_size(sizes, "found").count("<circle") == 4
    assert (
        plots.time_by_size({"ours": {1_000: 10.0, 10_000: 20.0}}, "a search").count("dasharray")
        == 1
    )
    assert plots.write(tmp_path / "a", "b", "<svg/>").read_text(encoding="utf-8") == "<svg/>"
