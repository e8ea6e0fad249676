"""Passages begin and end where sense does: sentences, edits, commands, lines of a file."""

import time

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.models import Observation, Step, ToolCall
from mcp_memory.search import exact, passages, telling


def step(call: ToolCall, output: str = "", **seen: object) -> Step:
    told = Observation.model_validate({"call_id": call.id, "text": output, **seen})
    return Step(number=1, kind="agent", calls=(call,), observations=(told,))


def cut(call: ToolCall, output: str = "", **seen: object) -> list[tuple[str, str]]:
    return [(p.head, p.text) for p in passages.of_step(step(call, output, **seen))]


def test_long_prose_is_cut_between_sentences() -> None:
    sentences = [
        f"Sentence number {n} says that the heron sleeps under a bridge." for n in range(30)
    ]
    made = [p.text for p in passages.of_text(" ".join(sentences))]
    assert len(made) > 3
    assert all(text.startswith("Sentence") and text.endswith(".") for text in made)
    assert sum(text.count("Sentence") for text in made) == len(sentences)


def test_a_heading_goes_with_what_it_heads_and_is_no_passage() -> None:
    made = list(passages.of_text("# Limits\n\n| name | value |\n|---|---|\n| refs | 5,000 |\n"))
    assert [(p.head, p.text) for p in made] == [("Limits", "| name | value |\n| refs | 5,000 |")]


def test_an_edit_reads_old_and_new_of_the_lines_that_changed() -> None:
    arguments = {
        "old_string": "a = 1\nlimit = 1_000_000\nz = 2",
        "new_string": "a = 1\nlimit = 5_000_000\nz = 2",
    }
    call = ToolCall(
        id="1", name="Edit", arguments=arguments, paths=("/w/shop/caps.py",), edits=True
    )
    assert cut(call) == [("shop/caps.py", "- limit = 1_000_000\n+ limit = 5_000_000")]


def test_a_command_comes_with_its_exit_code_and_its_output_stands_below_it() -> None:
    call = ToolCall(id="1", name="Bash", command="go test ./...")
    made = cut(call, "--- FAIL: TestHeron\nbridge.go:7: no nest", exit_code=1)
    ran = "$ go test ./... \u2192 exit 1"
    assert made == [("", ran), (ran, "--- FAIL: TestHeron\nbridge.go:7: no nest")]


def test_a_comment_is_not_cut_off_from_the_line_that_it_explains() -> None:
    before = [f"const other{n} = {n} // of no interest here" for n in range(7)]
    comment = "// limitOfOneRequest is how many commands ride in a single request."
    lines = [*before, comment, "const limitOfOneRequest = 20_000", *before]
    call = ToolCall(id="1", name="Read", paths=("/w/shop/caps.go",))
    made = [text for _, text in cut(call, "\n".join(lines))]
    (told,) = [text for text in made if "limitOfOneRequest is" in text]
    assert "limitOfOneRequest = 20_000" in told
    assert sum(text.count("\n") + 1 for text in made) == len(lines)


def test_a_file_that_was_read_has_line_numbers() -> None:
    call = ToolCall(id="1", name="Read", arguments={"offset": 40}, paths=("/w/shop/caps.py",))
    assert cut(call, "limit = 5\n\nheron = 6") == [("shop/caps.py", "40: limit = 5\n42: heron = 6")]
    assert cut(call, "    40\u2192limit = 5") == [("shop/caps.py", "40\u2192limit = 5")]
    ranged = ToolCall(id="1", name="shell", command="sed -n '7,9p' shop/caps.py")
    assert cut(ranged, "limit = 5")[1][1] == "7: limit = 5"


@given(st.text(max_size=3_000))
def test_nothing_that_was_said_is_lost_but_fences_headings_and_rules(text: str) -> None:
    made = "".join(p.text + p.head for p in passages.of_text(text))
    for word in "".join(c if c.isascii() and c.isalpha() else " " for c in text).split():
        if f"```{word}" not in text and f"~~~{word}" not in text:
            assert word in made or "```" in text or "~~~" in text or "#" in text


@given(st.text(max_size=5_000))
def test_a_passage_is_never_much_longer_than_it_should_be(text: str) -> None:
    assert all(len(p.text) <= 2 * passages.LONGEST for p in passages.of_text(text))


def test_a_file_that_is_shown_with_numbers_below_tags_gets_no_second_ones() -> None:
    call = ToolCall(id="1", name="read", arguments={}, paths=("/w/shop/caps.py",))
    shown = "<path>/w/shop/caps.py</path>\n<type>file</type>\n<content>1: a = 1\n2: limit = 5"
    ((_, text),) = cut(call, shown)
    assert "2: limit = 5" in text
    assert "5: 2:" not in text


def test_what_matched_is_told_though_no_passage_holds_it() -> None:
    cut_ = [passages.Passage("edit", "- a = 1\n+ a = 2")]
    (told,) = exact.with_lines("newCleanCmd", [cut_], ["x\n\tcmd.AddCommand(newCleanCmd())\na = 2"])
    assert told[-1].text == "cmd.AddCommand(newCleanCmd())"
    assert exact.with_lines("a = 2", [cut_], ["a = 2"]) == [cut_]
    long = f"{'x ' * 2_000}the heron sleeps {'y ' * 2_000}"
    assert "the heron sleeps" in exact.with_lines("heron", [cut_], [long])[0][-1].text


def test_an_expression_that_is_slow_line_by_line_is_given_up() -> None:
    text = "\n".join(["a" * 40 + "!"] * 5_000)
    begun = time.perf_counter()
    exact.with_lines("(a|aa)*b$", [[passages.Passage("output", "x")]] * 8, [text] * 8)
    assert time.perf_counter() - begun < 10 * exact.SECONDS_IN_ALL


def test_of_lines_that_match_those_are_told_first_that_hold_the_question() -> None:
    cut_ = [
        passages.Passage("said", text)
        for text in ("bytes of the map", "bytes of a line", "the bundle may have 100 bytes")
    ]
    plain = exact.told("bytes", [cut_], [1.0])
    assert [one.place for one in plain] == [0, 1, 2], "without a question in the record's order"
    asked = telling.tell(telling.sought("how big is a bundle"), [cut_], [1.0])
    assert exact.told("bytes", [cut_], [1.0], asked)[0].place == 2


def test_of_alternatives_the_one_that_is_nowhere_else_tells_most() -> None:
    cut_ = [
        passages.Passage("said", text)
        for text in ("limit maxBytes", "limit maxBytes", "limit MAX_X")
    ]
    asked = telling.tell(telling.sought("limit"), [cut_], [1.0])
    first, *_ = exact.told("max_?[a-z]+", [cut_], [1.0], asked)
    assert first.passage.text == "limit MAX_X"


def test_an_expression_that_matches_nothing_at_all_holds_nowhere() -> None:
    cut_ = [passages.Passage("said", "herons")]
    assert exact.told("x*", [cut_], [1.0]) == []
    assert [one.place for one in exact.told("x*h", [cut_], [1.0])] == [0]
