"""Every write is an edit of its file, by whatever hand, with what went out and what came in."""

import pytest

from mcp_memory.domain.models import Observation, Step, ToolCall
from mcp_memory.trajectories import edits
from mcp_memory.trajectories.edits import Edit

PATCH = (
    "*** Begin Patch\n*** Update File: a.go\n@@\n-old\n+new\n*** Add File: b.go\n+package b\n"
    "*** Delete File: c.go\n*** End Patch"
)


SCRIPT = (
    "python3 - <<'EOF'\np = 'a/b.py'\ns = open(p).read().replace('x = 1', 'x = 2')\n"
    "open(p, 'w').write(s)\nEOF"
)


def ran(command: str, printed: str = "", code: int = 0, **arguments: str) -> Step:
    call = ToolCall(id="c", name="Bash", command=command, arguments=arguments)
    seen = Observation(call_id="c", text=printed, exit_code=code, failed=code != 0)
    return Step(number=3, kind="agent", calls=(call,), observations=(seen,))


def told(step: Step) -> list[tuple[str, str, str, str]]:
    return [(each.path, each.kind, each.old, each.new) for each in edits.of_step(step)]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cat > a.go <<'EOF'\npackage a\nEOF", [("a.go", "write", "", "package a\n")]),
        ("cat <<EOF >> a.go\nmore\nEOF\n", [("a.go", "append", "", "more\n")]),
        ("cd web && tee src/b.ts <<'EOF'\nx\nEOF", [("web/src/b.ts", "write", "", "x\n")]),
        ("sed -i '' 's/old/new/g' a.go b.go",
         [("a.go", "change", "old", "new"), ("b.go", "change", "old", "new")]),
        ("mv a.go pkg/b.go", [("a.go", "move", "", "pkg/b.go")]),
        ("git mv a.go pkg/", [("a.go", "move", "", "pkg/a.go")]),
        ("cp a.env.example a.env", [("a.env", "write", "", "")]),
        ("rm -f a.go b.go", [("a.go", "delete", "", ""), ("b.go", "delete", "", "")]),
        ("git checkout -- a.go && git restore b.go",
         [("a.go", "restore", "", ""), ("b.go", "restore", "", "")]),
        ("gofmt -w a.go", [("a.go", "change", "", "")]),
        ("echo 'A=1' > .env", [(".env", "write", "", "A=1")]),
        (f"apply_patch <<'EOF'\n{PATCH}\nEOF", [
            ("a.go", "change", "old", "new"),
            ("b.go", "write", "", "package b"),
            ("c.go", "delete", "", ""),
        ]),
        (SCRIPT, [("a/b.py", "change", "x = 1", "x = 2")]),
        ("python3 - <<'EOF'\nfrom pathlib import Path\nPath('a.md').write_text('''# Hi\n''')\nEOF",
         [("a.md", "write", "", "# Hi\n")]),
        ("go test ./... > /tmp/out.log 2>&1", []), ("git checkout -b main", []), ("cat a.go", []),
        ("sed -n 1,5p a.go", []), ("grep x a.go 2>/dev/null", []), ("git rm --cached a.go", []),
    ],
)  # fmt: skip
def test_a_shell_writes(command: str, expected: list[tuple[str, str, str, str]]) -> None:
    assert told(ran(command)) == expected


@pytest.mark.parametrize(
    ("command", "printed", "path"),
    [
        ("python manage.py makemigrations", "For 'shop':\n  shop/migrations/0002_egg.py\n    + Add",
         "shop/migrations/0002_egg.py"),
        ("npx drizzle-kit generate", "[✓] Your SQL migration file ➜ drizzle/0001_egg.sql 🚀",
         "drizzle/0001_egg.sql"),
        ("rails g migration Egg", "      create    db/migrate/2024_egg.rb", "db/migrate/2024_egg.rb"),
        ("alembic revision -m egg", "  Generating /app/alembic/versions/1a_egg.py ...  done",
         "/app/alembic/versions/1a_egg.py"),
        ("supabase migration new egg", "Created new migration at supabase/migrations/20_egg.sql",
         "supabase/migrations/20_egg.sql"),
        ("git commit -m egg", "[main 0a1b2c3] egg\n create mode 100644 nest/egg.go", "nest/egg.go"),
    ],
)  # fmt: skip
def test_a_generator_names_what_it_made(command: str, printed: str, path: str) -> None:
    assert list(edits.of_step(ran(command, printed))) == [
        Edit(step=3, path=path, kind="make", told=False)
    ]


def test_what_a_look_or_a_pull_prints_was_not_made_here() -> None:
    listed = "Created new file at a/b.sql\n create mode 100644 c.go"
    assert told(ran("git show --summary HEAD", listed)) == []
    assert told(ran("git pull", " create mode 100644 c.go")) == []


def test_a_command_that_failed_at_its_end_still_wrote_at_its_beginning() -> None:
    step = ran("cat > a.go <<'EOF'\nx\nEOF\ngo build && rm a.go", "a.go:1:1: expected package", 1)
    assert [path for path, *_ in told(step)] == ["a.go"]


def test_a_commit_makes_no_file_that_the_session_wrote_before() -> None:
    wrote = ran("cat > nest/egg.go <<'EOF'\nx\nEOF")
    commit = ran(
        "git commit -m x",
        "[main 0a1b2c3] x\n create mode 100644 nest/egg.go\n create mode 100644 b.go",
    )
    later = commit.model_copy(update={"number": 4})
    assert edits.written([wrote, later]) == {3: ("nest/egg.go",), 4: ("b.go",)}


def test_paths_are_named_from_the_folder_that_the_call_ran_in() -> None:
    assert told(ran("rm a.go", workdir="/r/x"))[0][0] == "/r/x/a.go"


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Edit", {"file_path": "a", "old_string": "x", "new_string": "y"}, [("a", "change", "x", "y")]),
        ("Write", {"file_path": "a", "content": "y"}, [("a", "write", "", "y")]),
        ("MultiEdit", {"file_path": "a", "edits": [{"old_string": "x", "new_string": "y"}]},
         [("a", "change", "x", "y")]),
        ("NotebookEdit", {"notebook_path": "a", "new_source": "y"}, [("a", "change", "", "y")]),
        ("apply_patch", {"input": PATCH},
         [("a.go", "change", "old", "new"), ("b.go", "write", "", "package b"), ("c.go", "delete", "", "")]),
        ("replace_in_file", {"path": "a", "diff": "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"},
         [("a", "change", "x\n", "y\n")]),
        ("replace_string_in_file", {"filePath": "a", "oldString": "x", "newString": "y"},
         [("a", "change", "x", "y")]),
        ("delete_file", {"path": "a"}, [("a", "change", "", "")]),
    ],
)  # fmt: skip
def test_an_editor_says_what_it_put_for_what(
    name: str, arguments: dict[str, object], expected: list[tuple[str, str, str, str]]
) -> None:
    paths = ("a",) if name != "apply_patch" else ("a.go", "b.go", "c.go")
    call = ToolCall.model_validate(
        {"id": "c", "name": name, "arguments": arguments, "paths": paths, "edits": True}
    )
    assert told(Step(number=1, kind="agent", calls=(call,))) == expected
