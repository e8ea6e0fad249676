"""The LongMemEval-V2 reader: whose action it was, and the benchmark's outcome."""

from transcripts import SAMPLES

from mcp_memory.domain.models import SourceClass
from mcp_memory.readers import longmemeval_v2

ORDINARY = SAMPLES / "longmemeval_v2" / "ordinary.jsonl"


def test_an_action_belongs_to_the_thought_before_it_and_the_page_after_it() -> None:
    first, _ = longmemeval_v2.read(ORDINARY)
    step = first.steps[2]
    assert step.text == "I open the account."
    assert [call.name for call in step.calls] == ["click"]
    assert step.observations[0].text.startswith("http://shop.test/1\n")
    assert step.observations[0].source is SourceClass.EXTERNAL


def test_the_verdict_is_the_benchmarks_outcome() -> None:
    assert [run.verdict for run in longmemeval_v2.read(ORDINARY)] == ["failure", "success"]
