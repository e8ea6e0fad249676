"""Episodes: where attempts begin and end, and what their outcome is decided from."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.models import Observation, Outcome, SourceClass, Step, ToolCall, Trajectory
from mcp_memory.trajectories.episodes import cut, stood_by


def user(text: str) -> Step:
    return Step(number=1, kind="user", text=text, source=SourceClass.USER)


def says(text: str) -> Step:
    return Step(number=1, kind="agent", text=text)


def runs(command: str, code: int | None = 0, *, failed: bool | None = None) -> Step:
    call = ToolCall(id="c", name="Bash", command=command)
    verdict = failed if failed is not None else None if code is None else code != 0
    seen = Observation(call_id="c", text="all tests passed", exit_code=code, failed=verdict)
    return Step(number=1, kind="agent", calls=(call,), observations=(seen,))


def edits(path: str = "a.py", *, failed: bool = False, refused: bool = False) -> Step:
    call = ToolCall(id="c", name="Edit", paths=(path,), edits=True)
    source = SourceClass.USER if refused else SourceClass.TOOL
    seen = Observation(call_id="c", text="", failed=failed or refused, source=source)
    return Step(number=1, kind="agent", calls=(call,), observations=(seen,))


def interrupt() -> Step:
    return Step(number=1, kind="system", text="[interrupted]", source=SourceClass.USER)


def other(kind: str) -> Step:
    return Step(number=1, kind=kind, text="…", source=SourceClass.HOST)


def session(*steps: Step, **fields: object) -> Trajectory:
    numbers = count(1)
    numbered = tuple(step.model_copy(update={"number": next(numbers)}) for step in steps)
    return Trajectory(id="0" * 12, format="x", native_id="n", steps=numbered, **fields)


def spans(*steps: Step) -> list[tuple[int, int]]:
    return [(episode.first, episode.last) for episode in cut(session(*steps))]


def outcome(*steps: Step) -> tuple[str, str]:
    (episode,) = cut(session(user("do it, and do it well, please"), *steps))
    return episode.outcome.value, episode.reason


# --- spans ----------------------------------------------------------------------------------


def test_each_request_begins_an_attempt() -> None:
    steps = (user("mend the basket"), says("done"), user("now add a discount"), says("done"))
    assert spans(*steps) == [(1, 2), (3, 4)]


def test_what_stands_before_the_first_request_belongs_to_it() -> None:
    assert spans(other("boot"), other("system"), user("mend the basket"), says("done")) == [(1, 4)]


def test_summaries_belong_to_the_span_they_lie_in() -> None:
    assert spans(user("mend the basket"), other("summary"), says("done")) == [(1, 3)]


@pytest.mark.parametrize("text", ["yes", "go on", "weiter", "继续", "👍"])
def test_a_tiny_request_goes_on_with_the_same_attempt(text: str) -> None:
    assert spans(user("mend the basket"), says("Done."), user(text), says("ok")) == [(1, 4)]


def test_a_short_answer_to_a_question_goes_on() -> None:
    assert spans(
        user("mend it"), says("Which one do you mean?"), user("the second of the two"), says("ok")
    ) == [(1, 4)]


def test_a_long_answer_is_a_request_of_its_own() -> None:
    assert len(spans(user("mend it"), says("Which one?"), user("word " * 60), says("ok"))) == 2


def test_a_short_word_into_the_middle_of_work_goes_on() -> None:
    assert spans(user("mend it"), runs("ls"), user("look in src/ as well, please"), says("ok")) == [
        (1, 4)
    ]


def test_a_short_correction_after_an_interrupt_goes_on() -> None:
    steps = (
        user("mend it"),
        says("I shall."),
        interrupt(),
        user("but leave the tests alone"),
        says("ok"),
    )
    assert spans(*steps) == [(1, 5)]


def test_two_requests_in_a_row_are_one() -> None:
    assert spans(user("mend the basket"), user("and the discount too"), says("ok")) == [(1, 3)]


def test_words_sent_too_soon_are_not_the_goal() -> None:
    (episode,) = cut(
        session(user("It"), user("mend the basket of the shop"), says("ok"), goal="It")
    )
    assert episode.goal == "mend the basket of the shop"


def test_a_request_that_was_taken_back_is_not_the_goal() -> None:
    taken = user("rewrite the whole shop in Rust").model_copy(update={"abandoned": True})
    found = session(taken, user("mend the basket of the shop"), says("ok"), goal=taken.text)
    (episode,) = cut(stood_by(found))
    assert episode.goal == stood_by(found).goal == "mend the basket of the shop"


def test_a_session_whose_requests_were_all_taken_back_keeps_its_goal() -> None:
    taken = user("rewrite the whole shop in Rust").model_copy(update={"abandoned": True})
    found = session(taken, says("ok"), goal=taken.text)
    assert stood_by(found) is found
    assert cut(found)[0].goal == taken.text


def test_a_short_answer_after_work_is_not_the_goal() -> None:
    (episode,) = cut(
        session(user("fix ci"), says("Which one?"), user("the one of the docs, please"))
    )
    assert episode.goal == "fix ci"


def test_a_session_without_a_request_is_one_attempt_at_its_goal() -> None:
    (episode,) = cut(session(says("hello"), goal="greet"))
    assert (episode.first, episode.last, episode.goal) == (1, 1, "greet")


def test_an_empty_session_has_no_attempts() -> None:
    assert cut(session()) == ()


steps = st.one_of(
    st.text(max_size=200).map(user),
    st.text(max_size=30).map(says),
    st.builds(runs, st.text(max_size=40), st.none() | st.integers(0, 2)),
    st.builds(edits, failed=st.booleans(), refused=st.booleans()),
    st.builds(interrupt),
    st.sampled_from(["boot", "system", "summary"]).map(other),
)


@given(st.lists(steps, max_size=12))
def test_spans_cover_every_step_once(found: list[Step]) -> None:
    episodes = cut(session(*found))
    covered = [n for e in episodes for n in range(e.first, e.last + 1)]
    assert covered == [*range(1, len(found) + 1)]
    assert [e.number for e in episodes] == [*range(1, len(episodes) + 1)]
    assert all(e.reason for e in episodes)


@given(st.lists(steps, max_size=12), st.integers(0, 12))
def test_spans_of_a_growing_session_only_grow_at_the_end(found: list[Step], place: int) -> None:
    short, whole = cut(session(*found[:place])), cut(session(*found))
    assert [e.first for e in short] == [e.first for e in whole][: len(short)]


# --- outcomes -------------------------------------------------------------------------------


def test_a_verifying_command_that_passed_is_success() -> None:
    assert outcome(edits(), runs("cd shop && go test ./...")) == (
        "success", "step 3: `cd shop && go test ./...` exit code 0",
    )  # fmt: skip


def test_a_verifying_command_that_failed_is_failure() -> None:
    found, reason = outcome(edits(), runs("pytest -q", 1), says("Done, all tests pass!"))
    assert (found, reason) == ("failure", "step 3: `pytest -q` exit code 1, not made good later")


def test_a_failure_that_was_made_good_is_success() -> None:
    assert outcome(runs("pytest", 1), edits(), runs("pytest -q tests"))[0] == "success"


def test_a_failure_of_another_kind_leaves_the_outcome_open() -> None:
    found, reason = outcome(runs("make lint", 1), edits(), runs("make test"))
    assert (found, reason.count("step")) == ("unknown", 2)


def test_a_success_before_the_last_change_proves_nothing() -> None:
    found, reason = outcome(runs("pytest"), edits())
    assert (found, "changed after it (step 3)" in reason) == ("unknown", True)


def test_a_change_that_failed_changes_nothing() -> None:
    assert outcome(runs("pytest"), edits(failed=True))[0] == "success"


def test_a_printed_success_without_an_exit_code_is_none() -> None:
    assert outcome(runs("pytest", None))[0] == "unknown"


def test_a_command_that_failed_last_is_failure() -> None:
    assert outcome(says("…"), runs("git push", 128), says("Pushed."))[0] == "failure"


def test_a_failed_search_on_the_way_is_no_failure() -> None:
    assert outcome(runs("ls missing", 2), runs("ls src"))[0] == "unknown"


def test_a_command_that_failed_and_then_did_not_is_success() -> None:
    assert (
        outcome(runs("python reproduce.py", 1), edits(), runs("python reproduce.py"))[0]
        == "success"
    )


def test_a_command_that_went_better_the_second_time_by_itself_proves_nothing() -> None:
    assert outcome(runs("curl example.org", 7), runs("curl example.org"))[0] == "unknown"


def test_a_refused_change_at_the_end_is_failure() -> None:
    assert outcome(edits(refused=True), interrupt()) == ("failure", "step 2: refused by the user")


def test_a_refused_change_that_was_followed_by_work_is_no_verdict() -> None:
    assert outcome(edits(refused=True), edits(), runs("pytest"))[0] == "success"


def test_an_interrupt_at_the_end_leaves_the_outcome_open() -> None:
    assert outcome(runs("pytest"), interrupt()) == ("unknown", "step 3: stopped by the user")


def test_the_hosts_verdict_stands_where_no_exit_code_does() -> None:
    told = {"verdict": Outcome.FAILURE, "verdict_reason": "exit status exit_cost"}
    (episode,) = cut(session(user("mend it"), says("…"), **told))
    assert (episode.outcome, episode.reason) == (Outcome.FAILURE, "exit status exit_cost")


@pytest.mark.parametrize(
    "command",
    [
        "pytest -q", "python -m pytest", "uv run pytest", "CI=1 npx vitest run", "npm test",
        "npm run build", "pnpm run test:unit", "go test ./... 2>&1", "cargo clippy", "make",
        "./gradlew check", "mise run lint", "timeout 60 make test", "./scripts/run-tests.sh",
        "cd a && npm run typecheck && git diff", "git status; tox", "cat x | pytest",
        "/usr/bin/python3 -m unittest", "cd 'my folder' && ctest",
    ],
)  # fmt: skip
def test_a_verdict_is_seen_in(command: str) -> None:
    assert outcome(edits(), runs(command))[0] == "success"


@pytest.mark.parametrize(
    "command",
    [
        "pytest | tail -5", "pytest || true", "pytest; echo done", "pytest\necho done", "pytest &",
        "cat pytest.ini", "pip install pytest", "ls tests", "mkdir build", "grep -r 'make test' .",
        "echo 'cargo test && cargo build'", "git commit -m 'npm test; go build'", "which tox",
        "npm install", "make clean", "go run main.go", "git checkout test", "",
    ],
)  # fmt: skip
def test_no_verdict_is_seen_in(command: str) -> None:
    assert outcome(edits(), runs(command))[0] == "unknown"
