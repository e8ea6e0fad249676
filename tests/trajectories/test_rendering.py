"""Rendering: what an agent finds in the files of a session and in the indexes of a project."""

import re
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.archive.inspection import inspect
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Inspection
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import (
    Episode,
    Observation,
    Outcome,
    SourceClass,
    Step,
    ToolCall,
    Trajectory,
)
from mcp_memory.domain.paths import relative
from mcp_memory.text import signatures
from mcp_memory.trajectories import rendering
from mcp_memory.trajectories.catalogues import catalogues
from mcp_memory.trajectories.naming import code, one_line, project_folder, slug
from mcp_memory.trajectories.rendering import Files

ID = refs.trajectory_id("test", "one")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SAFE_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\ufeff]")


def ran(number: int, command: str, text: str, code: int = 0) -> Step:
    call = ToolCall(id="c", name="Bash", command=command, arguments={"command": command})
    seen = Observation(call_id="c", text=text, exit_code=code, failed=code != 0)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,), at=NOON)


def edited(number: int, path: str, *, failed: bool = False) -> Step:
    call = ToolCall(id="c", name="Edit", paths=(path,), edits=True, arguments={"file_path": path})
    seen = Observation(call_id="c", text="done", failed=failed)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,))


def said(number: int, text: str) -> Step:
    return Step(number=number, kind="user", text=text, source=SourceClass.USER, at=NOON)


def session(*steps: Step, goal: str = "Mend the login", **fields: object) -> Trajectory:
    told = {
        "id": ID,
        "format": "test",
        "native_id": "one",
        "started_at": NOON,
        "cwd": "/home/u/app",
    }
    return Trajectory.model_validate({**told, "goal": goal, "steps": steps, **fields})


def attempt(first: int, last: int, outcome: Outcome = Outcome.SUCCESS) -> Episode:
    return Episode(
        trajectory=ID,
        number=1,
        first=first,
        last=last,
        goal="Mend the login",
        outcome=outcome,
        reason=f"step {last}: 'pytest' exit code 0",
    )


def rendered(trajectory: Trajectory, *episodes: Episode, **options: object) -> Files:
    folder = rendering.session_folder("/home/u/app", trajectory)
    return rendering.render(trajectory, episodes, folder=folder, **{"step_chars": 500, **options})  # type: ignore[arg-type]


def lines(files: Files) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in files.steps.splitlines()]


def index(name: str, *made: Files) -> str:
    return catalogues("/home/u/app", [files.entry for files in made])[name]


def test_step_n_is_line_n_and_carries_its_ref() -> None:
    made = lines(rendered(session(said(1, "hi"), ran(2, "ls", "a"), said(3, "bye"))))
    assert [line["step"] for line in made] == [1, 2, 3]
    assert [line["ref"] for line in made] == [f"t:{ID}#{n}" for n in (1, 2, 3)]


def test_the_same_trajectory_gives_the_same_bytes() -> None:
    trajectory = session(said(1, "hi"), edited(2, "/home/u/app/b.py"), ran(3, "pytest", "F", 1))
    again = Trajectory.model_validate_json(trajectory.model_dump_json())
    assert rendered(trajectory, attempt(1, 3)) == rendered(again, attempt(1, 3))


def test_a_growing_session_keeps_the_lines_it_has() -> None:
    steps = (said(1, "hi"), ran(2, "ls", "a"), said(3, "more"))
    whole = rendered(session(*steps)).steps
    assert whole.startswith(rendered(session(*steps[:2])).steps)


def test_hidden_steps_keep_their_line_and_tell_nothing() -> None:
    trajectory = session(said(1, "the secret plan"), ran(2, "ls", "x"), goal="the secret plan")
    files = rendered(trajectory, attempt(1, 2), hidden={1: "forgotten"})
    assert lines(files)[0] == {"step": 1, "gone": "forgotten"}
    told = files.entry.model_copy(update={"folder": ""}).model_dump_json()
    assert "secret" not in files.summary + files.steps.decode() + told


def test_an_episode_with_a_hidden_step_does_not_tell_its_reason() -> None:
    files = rendered(session(said(1, "a"), ran(2, "pytest", "x")), attempt(1, 2), hidden={2: "x"})
    assert "pytest" not in files.summary


def test_a_long_output_is_cut_with_the_refs_that_open_it() -> None:
    text = "head" + "x" * 9000 + "tail"
    shown = str(lines(rendered(session(ran(1, "ls", text))))[0])
    assert "headxxx" in shown
    assert "xxxtail" in shown
    mark = f"8,508 characters left out: fetch {rendering.output_ref(ID, text)} or t:{ID}#1"
    assert mark in shown


def test_an_output_without_a_ref_of_its_own_names_its_step() -> None:
    shown = str(lines(rendered(session(ran(1, "ls", "x" * 900))))[0])
    assert f"fetch t:{ID}#1 " in shown


@given(st.text(max_size=300), st.integers(20, 200))
def test_a_cap_keeps_head_and_tail_and_counts_what_is_missing(text: str, chars: int) -> None:
    cut = rendering.capped(text, chars, "t:x")
    left = re.search(r"\n\[… (\d+) characters left out: fetch t:x …\]\n", cut)
    if left is None:
        assert cut == text
        return
    head, tail = cut[: left.start()], cut[left.end() :]
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + int(left[1]) + len(tail) == len(text)
    assert len(head) + len(tail) <= chars


def test_large_and_nested_arguments_are_bounded() -> None:
    deep = {"edits": [{"old": "x" * 300} for _ in range(100)], **{f"k{n}": n for n in range(999)}}
    call = ToolCall(id="c", name="MultiEdit", arguments=deep)
    step = Step(number=1, kind="agent", calls=(call,))
    assert len(rendered(session(step)).steps) < 3000


def test_what_a_terminal_obeys_is_escaped_in_steps_and_keeps_its_value() -> None:
    text = "a\x1b[2Jb\x9b1m\u202ec\U000e0041\x7f\u2028\ufeffe\u0301"
    files = rendered(session(said(1, text)))
    assert not UNSEEN.search(files.steps.decode().rstrip("\n"))
    assert lines(files)[0]["text"] == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_comes_back_from_steps_as_it_was(text: str) -> None:
    files = rendered(session(said(1, text)))
    assert files.steps.count(b"\n") == 1
    assert lines(files)[0].get("text", "") == text


def test_times_are_told_in_utc() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=14)))
    step = said(1, "hi").model_copy(update={"at": east})
    files = rendered(session(step, started_at=east))
    assert lines(files)[0]["at"] == "2026-03-04T12:00:00+00:00"
    assert files.entry.day == "2026-03-04"


def test_a_summary_names_what_failed_as_it_was_run() -> None:
    failure = ran(1, "pytest -q tests/a.py", "E   KeyError: 'x'", 1)
    summary = rendered(session(failure)).summary
    assert "- #1 exit code 1: `pytest -q tests/a.py`" in summary
    assert "- `KeyError: 'x'`: #1" in summary


def test_decisions_are_verbatim() -> None:
    calls = (
        ToolCall(id="p", name="ExitPlanMode", arguments={"plan": "1. Split the file"}),
        ToolCall(id="r", name="Bash", command="rm -rf build"),
        ToolCall(id="a", name="AskUserQuestion"),
        ToolCall(id="g", name="Bash", command="git commit -am x"),
    )
    seen = (
        Observation(call_id="p", text="approved", failed=False),
        Observation(
            call_id="r",
            text="No. To tell you how to proceed, the user said:\ntoo slow",
            failed=True,
            source=SourceClass.USER,
        ),
        Observation(call_id="a", text='"Where?"="Here"', failed=False, source=SourceClass.USER),
        Observation(call_id="g", text="[main 0a1b2c3] Mend the login\n 1 file changed"),
    )
    step = Step(number=1, kind="agent", calls=calls, observations=seen)
    summary = rendered(session(step)).summary
    assert "#1 plan accepted: 1. Split the file" in summary
    assert "#1 refused `rm -rf build`: too slow" in summary
    assert '#1 answered AskUserQuestion: "Where?"="Here"' in summary
    assert "#1 committed: Mend the login" in summary


def test_what_the_user_refused_is_no_error_of_a_tool() -> None:
    seen = Observation(call_id="c", text="Error: no", failed=True, source=SourceClass.USER)
    call = ToolCall(id="c", name="Bash", command="make deploy")
    step = Step(number=1, kind="agent", calls=(call,), observations=(seen,))
    entry = rendered(session(step)).entry
    assert entry.errors == ()
    assert entry.commands[0].marked == ()


def test_one_grep_finds_every_session_that_touched_a_file() -> None:
    one = rendered(session(edited(1, "/home/u/app/src/auth.py"), ran(2, "cat src/auth.py", "x")))
    other = session(edited(1, "C:\\w\\app\\src\\auth.py"), id="b" * 12, cwd="C:\\w\\app")
    found = [
        line for line in index("by-file.md", one, rendered(other)).splitlines() if "auth" in line
    ]
    assert found == [f"- `src/auth.py`: t:{ID}#1* #2; t:{'b' * 12}#1*"]


def test_an_edit_that_failed_did_not_edit() -> None:
    files = rendered(session(edited(1, "/home/u/app/a.py", failed=True)))
    assert f"- `a.py`: t:{ID}#1\n" in index("by-file.md", files)


def test_one_grep_tells_how_often_a_command_failed() -> None:
    steps = [
        ran(1, "cd /x && uv run pytest -q a.py", "", 1),
        ran(2, "uv run pytest b.py -q", ""),
    ]
    text = index("by-command.md", rendered(session(*steps)))
    assert f"- `uv run pytest -q`: 2 steps, 1 failed: t:{ID}#1! #2" in text
    assert "#2 | last typed `uv run pytest b.py -q`" in text


def test_what_was_settled_is_found_in_one_file() -> None:
    call = ToolCall(id="g", name="Bash", command="git commit -am x")
    seen = Observation(call_id="g", text="[main 0a1b2c3] Mend the login\n 1 file changed")
    step = Step(number=1, kind="agent", calls=(call,), observations=(seen,))
    text = index("by-decision.md", rendered(session(step)))
    assert f"t:{ID}#1 committed: Mend the login\n" in text


def test_a_line_of_the_index_is_bounded_and_newest_first() -> None:
    older = rendered(session(said(1, "x"), goal="g" * 900, title="long " * 200))
    newer = session(
        *(edited(n, f"/home/u/app/{'f' * 50}{n}.py") for n in range(1, 30)),
        goal="g" * 900,
        id="b" * 12,
        started_at=NOON + timedelta(days=1),
    )
    told = [
        line for line in index("INDEX.md", older, rendered(newer)).splitlines() if " | t:" in line
    ]
    assert [line[2:12] for line in told] == ["2026-03-05", "2026-03-04"]
    assert max(map(len, told)) <= 240


def test_a_key_of_a_cross_index_counts_what_it_leaves_out() -> None:
    made = [
        rendered(session(*(edited(n, "a.py") for n in range(1, 40)), id=f"{name:012d}"))
        for name in range(60)
    ]
    line = index("by-file.md", *made).splitlines()[2]
    assert line.count("t:") == 40
    assert "and 27 more;" in line
    assert line.endswith("; and 20 older sessions")


def test_steps_that_edited_are_named_before_those_that_read() -> None:
    steps = (*(ran(n, "cat a.py", "x") for n in range(1, 30)), edited(30, "a.py"))
    line = index("by-file.md", rendered(session(*steps))).splitlines()[2]
    assert line.endswith("#11 #30* and 18 more")


HOSTILE = "# A\n\n| x | `y` [z](http://e)\r\n<img src=x>\x1b[31m\u202e"


def test_a_hostile_goal_stays_one_inert_line() -> None:
    files = rendered(session(said(1, HOSTILE), goal=HOSTILE, title=HOSTILE), attempt(1, 1))
    row = next(line for line in index("INDEX.md", files).splitlines() if ID in line)
    assert row.count("|") == 3
    for text in (files.summary, files.prose, row):
        assert not UNSEEN.search(text.replace("\n", ""))
        assert "](" not in text
        assert "<" not in text


@given(st.text(max_size=400), st.integers(2, 200))
def test_one_liners_are_one_inert_line_within_their_length(text: str, chars: int) -> None:
    for made in (one_line(text, chars), code(text, chars)):
        assert not UNSEEN.search(made)
        assert made.count("`") in {0, 2}
        assert len(made) <= chars + 50


def test_a_long_line_ends_between_two_words() -> None:
    goal = (
        "/goal finish the migration of the invoices to the new ledger and keep the old one readable"
    )
    assert one_line(goal, 60) == "/goal finish the migration of the invoices to the new…"
    assert one_line("x" * 90, 60) == "x" * 59 + "…"
    assert one_line(f"{'x' * 20} {'y' * 90}", 60).count("y") == 38, "no word ends near enough"


@given(st.text(max_size=300))
def test_slugs_are_safe_names_on_every_system(text: str) -> None:
    made = slug(text)
    assert SAFE_NAME.fullmatch(made)
    assert len(made) <= 40


@pytest.mark.parametrize("text", ["", "CON", "nul", "com1", "../..", "登录", "🙂", "..."])
def test_a_name_that_is_no_name_falls_back(text: str) -> None:
    assert slug(text) == "session"


@given(st.text(max_size=100), st.text(max_size=40))
def test_session_folders_cannot_leave_their_project(project: str, id_: str) -> None:
    folder = rendering.session_folder(project, session(id=id_))
    assert re.fullmatch(r"[a-z0-9-]+/2026-03-04-[a-z0-9-]+", folder)


def test_projects_of_one_name_have_folders_of_their_own() -> None:
    assert project_folder("/a/api") != project_folder("/b/api")
    assert project_folder("C:\\w\\My App").startswith("my-app-")


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/r/src/a.py", "/r", "src/a.py"),
        ("/r2/a.py", "/r", "/r2/a.py"),
        ("/r", "/r/", ""),
        ("./src/a.py", "/r", "src/a.py"),
        ("c:\\R\\src\\a.py", "C:\\r", "src/a.py"),
        ("unknown/a.py", "unknown", "unknown/a.py"),
    ],
)
def test_paths_are_named_from_their_root(path: str, root: str, expected: str) -> None:
    assert relative(path, (root,)) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cd /x && FOO=1 timeout 60 pytest -q tests/a.py 2>&1 | tail -5", ("pytest -q",)),
        ("git -C /r commit -m 'a && b; c | d'", ("git commit -m",)),
        ("npm run build && git push origin main", ("npm run build", "git push")),
        ("python -m pytest --maxfail=1", ("python -m pytest --maxfail",)),
        ("/usr/bin/python3 scripts/make.py 12", ("python3 make.py",)),
        ("cat <<'EOF' > a.txt\nrm -rf /\nEOF\nls -la", ("cat", "ls -la")),
        ("echo y | npx create-app", ("npx create-app",)),
        ("for f in *.py; do mypy $f; done # check", ("mypy",)),
        ("find . -type f -name '*.py'", ("find -name -type",)),
        ("echo 'never closed", ()),
    ],
)
def test_commands_fold_to_program_subcommand_and_flags(
    command: str, expected: tuple[str, ...]
) -> None:
    assert signatures.commands(command) == expected


def test_files_of_a_command_are_words_spelled_like_files() -> None:
    told = "sed -n 1,5p src/a.py && cat b.json https://e.org/x.html --f=c.py"
    assert signatures.files(told) == ("src/a.py", "b.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Traceback (most recent call last):\n  File\nKeyError: 'x'\n", "KeyError: 'x'"),
        ("..F\nE   ValueError: 12 at 0x7f3a\n1 failed", "ValueError: N at <address>"),
        ("a.c:3:5: error: expected ';'\nmake: *** [all]", "a.c:N: error: expected ';'"),
        ("ok\n--- FAIL: TestLogin (0.02s)\nexit", "--- FAIL: TestLogin"),
        ("bash: foo: command not found", "bash: foo: command not found"),
        ("Exit code 1\n/home/u/app/run.sh: line 3: no: such", "…/run.sh: line N: no: such"),
        ("<tool_use_error>File does not exist.</tool_use_error>", "File does not exist."),
        ("Exit code 2", ""),
        ("", ""),
    ],
)
def test_errors_fold_to_the_line_that_names_them(text: str, expected: str) -> None:
    assert signatures.error(text) == expected


@given(st.text(max_size=500))
def test_signatures_are_short_and_of_one_line(text: str) -> None:
    for made in (signatures.error(text), *signatures.commands(text)):
        assert len(made.splitlines()) <= 1
        assert len(made) <= 300


def test_inspection_goes_on_where_the_cap_cut_it() -> None:
    steps = [said(n, "x" * 100) for n in range(1, 20)]
    told = inspect(steps, Inspection(cap=500))
    last = max(n for n in range(1, 20) if f"#{n} " in told)
    assert 1 < last < 19
    assert f"--span {last + 1}:19" in told


def test_inspection_of_no_steps_is_empty() -> None:
    assert inspect([], Inspection(cap=200)) == ""


def test_a_match_shows_the_matching_lines_wherever_they_are() -> None:
    steps = [said(1, "nothing"), said(2, "x" * 9000 + " needle " + "y" * 9000)]
    shown = inspect(steps, Inspection(match="NEEDLE"))
    assert shown.startswith("#2 …needle y"), "the word before it is longer than the room"
    assert len(shown) < 300


def test_inspection_lists_files_commands_and_errors() -> None:
    steps = [edited(1, "a.py"), ran(2, "pytest -q", "E   KeyError: 'x'", 1)]
    shown = inspect(steps, Inspection(files=True, commands=True, errors=True))
    assert shown.splitlines() == [
        "#1 edits a.py",
        "#2 [exit 1] `pytest -q`",
        "#2 [exit 1] KeyError: 'x'",
    ]


def test_inspection_drops_terminal_escapes_and_shows_other_signs() -> None:
    told = inspect([said(1, "a\x1b[2Jb\x07")], Inspection())
    assert "ab\\x07" in told


def test_a_broken_pattern_says_what_to_do_next() -> None:
    with pytest.raises(InvalidInput, match="Escape what is meant literally"):
        inspect([said(1, "a")], Inspection(match="("))


def test_headers_and_sums_of_a_failed_output_are_no_errors() -> None:
    told = (
        "go: building\n# example.org/tool/strategy\npkg/a_test.go:40:26: undefined: agent\n"
        "FAIL\texample.org/tool/strategy [build failed]\n[test:unit] ERROR task failed\n"
    )
    assert signatures.errors(told) == ("pkg/a_test.go:N: undefined: agent",)


@given(st.text(max_size=400))
def test_the_first_of_several_errors_is_the_error(text: str) -> None:
    found = signatures.errors(text)
    assert found[:1] == tuple(filter(None, [signatures.error(text)]))
    assert len(found) <= signatures.MOST_ERRORS


@pytest.mark.parametrize(
    ("command", "said", "failed", "subject"),
    [
        ("git commit -q -F - <<'EOF'\nMend the login\n\nWhy.\nEOF", "", False, "Mend the login"),
        (
            "git commit -m \"$(cat <<'EOF'\nMend it\n\nx\nEOF\n)\" | tail -1",
            " 1 file changed, 2 insertions(+)",
            False,
            "Mend it",
        ),
        ("git commit -m 'Mend it' | tail -1", "blocked by a hook", False, None),
        ("git add . && git commit -qm 'Mend it'", "", False, "Mend it"),
        ("git commit -qm 'Mend it'", "nothing to commit", False, None),
        ("git commit -qm 'Mend it'", "hook failed", True, None),
        ("git commit -qm 'Mend it'", "", None, None),
    ],
)
def test_a_quiet_commit_is_known_by_the_subject_that_git_was_given(
    *, command: str, said: str, failed: bool | None, subject: str | None
) -> None:
    call = ToolCall(id="g", name="Bash", command=command)
    seen = Observation(call_id="g", text=said, failed=failed)
    step = Step(number=1, kind="agent", calls=(call,), observations=(seen,))
    text = index("by-decision.md", rendered(session(step)))
    assert ("committed:" in text) == (subject is not None)
    assert f"committed: {subject}\n" in text or subject is None


def test_an_expression_that_backtracks_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="takes too long"):
        inspect([said(1, "a" * 60 + "b")], Inspection(match=r"(a|a)+$"))
