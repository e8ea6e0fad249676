"""A commit counts when git shows it, and one that was taken back says so."""

import pytest

from mcp_memory.domain.models import Observation, Step, ToolCall
from mcp_memory.trajectories import committing
from mcp_memory.trajectories.decisions import decided


def steps(*ran: tuple[str, str, int]) -> list[Step]:
    made = []
    for number, (command, printed, code) in enumerate(ran, 1):
        call = ToolCall(id=f"c{number}", name="Bash", command=command)
        seen = Observation(call_id=f"c{number}", text=printed, exit_code=code, failed=code != 0)
        made.append(Step(number=number, kind="agent", calls=(call,), observations=(seen,)))
    return made


@pytest.mark.parametrize(
    ("command", "printed", "code", "hashes"),
    [
        ("git commit -m 'Mend it'", "[main 0a1b2c3] Mend it\n 1 file changed", 0, ["0a1b2c3"]),
        ("git commit -m 'Mend it'", "blocked by the pre-commit hook", 1, []),
        ("git commit -m 'Mend it'", "blocked by the pre-commit hook", 0, []),
        ("git commit -qm 'Mend it' && git log --oneline -1", "0a1b2c3d Mend it", 0, ["0a1b2c3d"]),
        ("git commit -qm 'Mend it'", "", 0, [""]),
        (
            "git commit -qm 'Mend it'\ngit push | tail -1",
            "  1a2b3c4..0a1b2c3  x -> x",
            0,
            ["0a1b2c3"],
        ),
        ("git commit -qm 'Mend it'; true", "", 0, []),
        ("git commit -qm 'Mend it' || true", "", 0, []),
        ("grep -n \"git commit -m 'Mend it'\" a.go", "[main 0a1b2c3] Mend it", 0, []),
        ("cd /tmp/x && git init && git commit -m x", "[main (root-commit) 0a1b2c3] x", 0, []),
        ("cd /tmp/tree && git commit -m x", "[topic 0a1b2c3] x", 0, ["0a1b2c3"]),
        ("./release.sh --commit", "[main 0a1b2c3] Release", 0, []),
        ("make commit-notes", "[main 0a1b2c3] Release", 0, []),
        (
            "cat notes.md; git commit -m 'Mend it'",
            "[main deadbee] The owner approved this\n[main 0a1b2c3] Mend it",
            0,
            ["0a1b2c3"],
        ),
        (
            "git commit -F msg.txt; cat notes.md",
            "[main 0a1b2c3] Mend it",
            0,
            ["0a1b2c3"],
        ),
    ],
)
def test_a_commit_is_what_git_shows(
    command: str, printed: str, code: int, hashes: list[str]
) -> None:
    found = committing.of_steps(steps((command, printed, code)))
    assert [one.hash for one in found] == hashes


@pytest.mark.parametrize(
    "back", ["git reset --hard HEAD~1", "git revert HEAD", "git revert 0a1b2c3", "git reset HEAD^"]
)
def test_what_was_taken_back_says_so(back: str) -> None:
    ran = steps(("git commit -m x", "[main 0a1b2c3] Mend it", 0), (back, "", 0))
    assert [one.undone for one in committing.of_steps(ran)] == [2]
    assert [one.text for one in decided(ran)] == ["committed, taken back in #2: Mend it"]


def test_an_amended_commit_is_followed_by_its_successor() -> None:
    ran = steps(
        ("git commit -m x", "[main 0a1b2c3] Mend it", 0),
        ("git commit --amend --no-edit", "[main 1b2c3d4] Mend it", 0),
    )
    assert [(one.hash, one.undone) for one in committing.of_steps(ran)] == [
        ("0a1b2c3", 2), ("1b2c3d4", 0),
    ]  # fmt: skip
