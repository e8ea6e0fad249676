"""Landed: a commit counts when git announced it, a pull request when its host did."""

from steps import ran

from mcp_memory.domain.models import Step
from mcp_memory.trajectories.landed import landed


def told(*steps: Step) -> list[tuple[str, str, str, str]]:
    return [(one.hash, one.pull, one.subject, one.what) for one in landed(steps)]


def test_a_commit_has_its_hash_subject_and_branch() -> None:
    step = ran(1, "git commit -m 'x'", "[topic/a 1a2b3c4] Mend it\n 1 file changed")
    assert told(step) == [("1a2b3c4", "", "Mend it", "topic/a")]


def test_what_a_hook_stopped_was_not_committed() -> None:
    assert told(ran(1, "git commit -m 'x'", "lint failed\n", 1)) == []


def test_a_repository_made_to_try_something_is_not_the_projects() -> None:
    out = "[main (root-commit) 1a2b3c4] init"
    assert told(ran(1, "cd /tmp/x && git init && git commit -m init", out)) == []


def test_pull_requests_are_opened_and_merged() -> None:
    opened = ran(1, 'gh pr create --title "Mend it"', "https://github.com/a/b/pull/12\n")
    assert told(opened, ran(2, "gh pr merge 12", "merged")) == [
        ("", "12", "Mend it", "opened"),
        ("", "12", "", "merged"),
    ]
