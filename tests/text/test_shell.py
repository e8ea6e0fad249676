"""A command line is read as the programs that it runs, whatever quotes and documents it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import families, shell, signatures


def names(text: str) -> list[str]:
    return [one.name for one in shell.programs(text) if not families.is_silent(one)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cd shop && CI=1 go test ./... 2>&1 | tail -5", ["go", "tail"]),
        (
            'git commit -m "$(cat <<\'EOF\'\nIt\'s "so"\n\nAdded that\nEOF\n)" && git push',
            ["git", "git"],
        ),
        ('gh pr create --body "## Why\nThe `x` was\nAdded" --draft', ["gh"]),
        ('gh pr create --body "never closed\nThe rest\nAdded more', ["gh"]),
        ("python3 -c 'x = 1 << shift\nprint(x)' && ls", ["python3", "ls"]),
        ("bash -lc 'cd web && pnpm test'", ["pnpm"]),
        ("sudo timeout 60 env A=1 pytest -q", ["pytest"]),
        ("for f in *.py; do mypy $f; done", ["mypy"]),
        ("wc -l <<< 'EOF'\nls", ["wc", "ls"]),
        ("A=$(go env X)/y && ls $(dirname $(which go))/x", ["ls"]),
    ],
)
def test_only_programs_are_found(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_prose_of_a_message_that_is_cut_off_names_no_programs() -> None:
    long = "gh pr create --body \"$(cat <<'EOF'\n" + "The change\nAdded more\n" * 2_000 + 'EOF\n)"'
    assert signatures.commands(long) == ("gh pr create --body",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("CI=true pnpm install --no-frozen-lockfile", "CI=true pnpm install --no-frozen-lockfile"),
        ("cd frontend && bun run css:build", "cd frontend && bun run css:build"),
        ("export A=1\ncargo build --features fuse", "export A=1 && cargo build --features fuse"),
        ("cd a; cd b; make test | tail", "cd a/b && make test"),
        ("DB_HOST=localhost pnpm dev", "DB_HOST=localhost pnpm dev"),
        ("git commit -F - <<'EOF'\nMend it\n\nWhy\nEOF", "git commit -F - <<'EOF' Mend it …"),
    ],
)
def test_the_line_of_a_family_is_kept_as_it_was_typed(text: str, line: str) -> None:
    assert signatures.runs(text)[0].line == line


def test_an_exit_code_speaks_for_what_nothing_hides() -> None:
    def spoken(text: str) -> list[str]:
        found = shell.programs(text)
        return [one.name for one in shell.covered(found, pipefail=shell.pipes_fail(found))]

    assert spoken("a; b && c | d") == ["d", "b"]
    assert spoken("a || b") == []
    assert spoken("a &") == []
    assert spoken("set -o pipefail; a | b") == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "purpose"),
    [
        ("rg -n x", "looks"), ("sed -n 1,5p a", "looks"), ("sed -i s/a/b/ a", "acts"),
        ("git -C /r log", "looks"), ("git diff", "looks"), ("git commit -m x", "judges"),
        ("git checkout -- a", "acts"), ("go test ./...", "judges"), ("go run .", "acts"),
        ("npm run deploy", "judges"), ("python x.py", "acts"), ("gh pr view 3", "looks"),
        ("gh pr create", "acts"), ("git rebase --abort", "acts"), ("cargo --version", "looks"),
    ],
)  # fmt: skip
def test_what_judges_is_told_from_what_acts_and_what_looks(text: str, purpose: str) -> None:
    (one,) = shell.programs(text)
    assert families.purpose(one) == purpose


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    for one in shell.programs(text):
        assert one.words or one.writes or one.assignments
        assert families.purpose(one) in {"judges", "acts", "looks", "keeps house"}
