"""Evals: halves that hold, scores that are right, a bank asked end to end and kept for comparison."""

import orjson
import pytest
from click.testing import CliRunner

from mcp_memory.cli import cli
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.evals import reports, scorers
from mcp_memory.evals.material import packs
from mcp_memory.evals.material.samples import in_half
from mcp_memory.evals.systems import vectors
from mcp_memory.store.rows import Found


def test_every_question_is_in_one_half_and_the_halves_are_alike_in_size():
    names = [f"q{number}" for number in range(1000)]
    assert all(in_half(name, "first") != in_half(name, "second") for name in names)
    assert 450 < sum(in_half(name, "first") for name in names) < 550


def test_strict_asks_for_all_evidence_and_any_for_some_of_it():
    scores = scorers.ranked_scores(["a", "x", "b"], {"a", "b", "c"})
    assert scores["recall@3"] == pytest.approx(2 / 3)
    assert (scores["any@1"], scores["strict@3"], scores["mrr"]) == (1, 0, 1)


def test_gain_is_one_when_the_evidence_comes_first_and_less_when_it_comes_later():
    assert scorers.ndcg(["a", "b", "x"], {"a", "b"}, 10) == pytest.approx(1)
    assert 0 < scorers.ndcg(["x", "a"], {"a"}, 10) < 1


def test_silence_is_precise_when_only_absent_questions_are_met_with_it():
    scores = scorers.abstention([True, True, False], [True, False, False])
    assert (scores["abstention.recall"], scores["abstention.precision"]) == (0.5, 1)
    assert scores["wrongly silent"] == 0


def test_an_interval_holds_its_mean_and_is_the_same_every_time():
    values = [0.0, 1.0] * 50
    interval = scorers.bootstrap(values)
    assert interval.low < interval.mean == 0.5 < interval.high
    assert scorers.bootstrap(values) == interval


def test_percentiles_are_values_that_were_measured():
    assert scorers.percentile([3, 1, 2], 0.5) == 2
    assert scorers.percentile([1, 2, 3], 0.95) == 3


def test_reciprocal_ranks_put_first_what_both_channels_found():
    words = [Found("a", 9), Found("b", 8)]
    near = [Found("c", 0.9), Found("b", 0.8)]
    assert vectors.reciprocal([words, near])[0] == "b"


def test_what_a_host_wrote_about_a_session_is_left_out_and_the_record_stays():
    line = orjson.dumps(
        {"uuid": "1", "isCompactSummary": True, "message": {"content": "Summary: all of it"}}
    )
    left = orjson.loads(packs._without_answers(line))
    assert left["uuid"] == "1"
    assert left["message"]["content"] == ""
    assert packs._without_answers(orjson.dumps({"type": "summary", "summary": "T"})) == b""
    plain = orjson.dumps({"type": "user", "message": {"content": "a summary, please"}})
    assert packs._without_answers(plain) == plain


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "benchmarks" / "locomo"
    folder.mkdir(parents=True)
    said = ["The kiln cracked our blue vase.", "I adopted a ferret called Biscuit.", "It rained."]
    turns = [
        {"speaker": "Ann", "dia_id": f"D1:{number}", "text": text}
        for number, text in enumerate(said, 1)
    ]
    talk = {
        "sample_id": "c0",
        "conversation": {"session_1_date_time": "1:56 pm on 8 May, 2023", "session_1": turns},
        "qa": [
            {"question": "What is the ferret called?", "evidence": ["D1:2"], "category": 4},
            {"question": "What cracked the vase?", "evidence": ["D1:1"], "category": 4},
            {"question": "No evidence?", "evidence": [], "category": 3},
        ],
    }
    (folder / "locomo.json").write_bytes(orjson.dumps([talk]))
    return tmp_path / "data"


def test_systems_are_asked_side_by_side_and_their_records_compared(data, tmp_path, monkeypatch):
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    asked = ["eval", "locomo", "--data", str(data), "--work", str(tmp_path / "work")]
    asked += ["--out", str(tmp_path / "out"), "--json"]
    for system in ("ours", "grep", "fts5", "bm25", "bm25-sessions", "dense", "rrf"):
        asked += ["-s", system]
    told = CliRunner().invoke(cli, asked)
    assert told.exit_code == 0, told.output
    made = orjson.loads(told.stdout)["systems"]
    assert made["ours"]["n"] == 2
    assert all(made[name]["unit.recall@1"] == 1 for name in ("ours", "grep", "fts5", "bm25"))
    assert made["bm25-sessions"]["session.any@1"] == 1
    names = [str(tmp_path / "out" / f"locomo.{system}.jsonl") for system in ("ours", "bm25")]
    compared = CliRunner().invoke(cli, ["eval", "compare", *names])
    assert "over 2 questions: 1.000 -> 1.000" in compared.output


def test_a_second_run_indexes_nothing(data, tmp_path, monkeypatch):
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "none")
    asked = ["eval", "locomo", "--data", str(data), "--work", str(tmp_path / "work")]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.lance")}
    assert CliRunner().invoke(cli, asked).exit_code == 0
    assert made
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.lance")}


def test_missing_data_is_said_with_what_to_give(tmp_path):
    told = CliRunner().invoke(cli, ["eval", "locomo", "--data", str(tmp_path)])
    assert told.exit_code == 2
    assert "--data" in told.output


def test_records_of_something_else_are_refused(tmp_path):
    (tmp_path / "x.jsonl").write_text("{}\n")
    with pytest.raises(InvalidInput):
        reports.kept(tmp_path / "x.jsonl")
