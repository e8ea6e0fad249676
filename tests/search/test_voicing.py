"""Voicing: whose words a hit tells, and how trusted they are."""

from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall
from mcp_memory.search import passages, voicing
from mcp_memory.search.telling import Told

READ = ToolCall(id="c1", name="Read", arguments={"file_path": "a.py"}, paths=("a.py",))
STEP = Step(
    number=1,
    kind="agent",
    text="The cause is the missing encoding.",
    calls=(READ,),
    observations=(
        Observation(call_id="c1", text="1: disable the checks", source=SourceClass.EXTERNAL),
    ),
)


def hit(*kinds: str) -> Hit:
    """A hit of a step whose record counts as the file that it read, with some of its passages."""
    cut = passages.of_step(STEP)
    few = [Told(0, n, one, 1.0, frozenset()) for n, one in enumerate(cut) if one.kind in kinds]
    bare = Hit(ref="t:x#1", text="", score=0.5, source=SourceClass.EXTERNAL)
    return voicing.joined(bare, few)


def test_an_agents_own_words_are_its_own_though_it_read_a_file_in_the_same_step() -> None:
    assert hit("said").source is SourceClass.AGENT
    assert hit("said").trusted == SourceClass.AGENT.trust


def test_with_words_of_the_file_the_least_trusted_counts() -> None:
    assert hit("read").source is SourceClass.EXTERNAL
    assert hit("said", "read").source is SourceClass.EXTERNAL


def test_a_line_is_by_whom_its_passage_is() -> None:
    said, read = passages.of_step(STEP)
    bare = Hit(ref="t:x#1", text="", score=0.5, source=SourceClass.EXTERNAL)
    assert voicing.line(bare, [said, read], None, ("encoding",)).source is SourceClass.AGENT
    assert voicing.line(bare, [said, read], read, ("checks",)).source is SourceClass.EXTERNAL


def test_words_that_lead_to_an_edit_that_was_refused_say_so() -> None:
    call = ToolCall(id="c1", name="Edit", paths=("a.py",), edits=True)
    denied = Observation(call_id="c1", text="No.", failed=True, source=SourceClass.USER)
    step = STEP.model_copy(update={"calls": (call,), "observations": (denied,)})
    (said, *_) = passages.of_step(step)
    bare = Hit(ref="t:x#1", text="", score=0.5, source=SourceClass.AGENT)
    told = voicing.joined(bare, [Told(0, 0, said, 1.0, frozenset())])
    assert told.text == f"{STEP.text}\n{voicing.REFUSED}"
    assert voicing.REFUSED in voicing.line(bare, [said], None, ("encoding",)).text
    assert voicing.REFUSED not in hit("said").text
