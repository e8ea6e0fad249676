"""Chronicles: changes oldest first, values last first, and no difference made by the order of sessions."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from steps import NOON, edited, ran, read, said, wrote

from mcp_memory.domain.models import Episode, Outcome, Step, Trajectory
from mcp_memory.trajectories import rendering
from mcp_memory.trajectories.catalogues import catalogues, listed_projects
from mcp_memory.trajectories.entries import Entry


def entry(number: int, *steps: Step, parent: str | None = None, cuts: Sequence[int] = ()) -> Entry:
    id_ = str(number) * 12
    later = timedelta(days=number)
    moved = tuple(s.model_copy(update={"at": s.at + later if s.at else None}) for s in steps)
    trajectory = Trajectory(
        id=id_,
        format="test",
        native_id=id_,
        goal="Mend it",
        cwd="/app",
        steps=moved,
        parent=parent,
        started_at=NOON + later,
    )
    bounds = [*cuts, len(steps) + 1] if cuts else [1, len(steps) + 1]
    episodes = [
        Episode(
            trajectory=id_,
            number=place,
            first=first,
            last=bounds[place] - 1,
            goal=f"goal {place}",
            outcome=Outcome.SUCCESS,
            reason="",
        )
        for place, first in enumerate(bounds[:-1], 1)
    ]
    return rendering.render(moved and trajectory, episodes, folder="p/s", step_chars=500).entry


FIRST = entry(1, wrote(1, "/app/a.py", "LIMIT = 5"), ran(2, "git commit", "[main 1a2b3c4] Limit"))
SECOND = entry(2, edited(1, "/app/a.py", "LIMIT = 5", "LIMIT = 7"), said(2, "thanks"))
THIRD = entry(3, ran(1, "git revert 1a2b3c4", '[main 5d6e7f8] Revert "Limit"'))


def index(name: str, *entries: Entry) -> list[str]:
    return catalogues("/app", entries)[name].splitlines()


def test_changes_of_a_file_stand_oldest_first_with_what_became_of_them() -> None:
    assert index("by-change.md", SECOND, FIRST)[2:] == [
        "- `a.py` 2026-03-05 t:111111111111#1 + `LIMIT = 5` → before commit 1a2b3c4",
        "- `a.py` 2026-03-06 t:222222222222#1 - `LIMIT = 5` + `LIMIT = 7`",
    ]


def test_a_name_shows_its_last_value_and_what_it_was_before() -> None:
    (line,) = index("by-name.md", FIRST, SECOND)[2:]
    assert line.startswith("- `LIMIT` = `7` 2026-03-06 t:222222222222#1 (a.py); before `5` ")


def test_a_commit_that_was_reverted_says_so() -> None:
    newest, oldest = index("by-commit.md", FIRST, THIRD)[2:]
    assert newest.startswith("- `5d6e7f8` 2026-03-07")
    assert oldest.endswith("Limit (main) → reverted by 5d6e7f8")


def test_the_index_has_a_line_an_episode_and_sub_agents_below() -> None:
    helper = entry(4, said(1, "look"), parent="1" * 12)
    two = entry(5, said(1, "a"), said(2, "b"), said(3, "c"), cuts=(1, 3))
    lines = [line for line in index("INDEX.md", helper, FIRST, two) if line.startswith(("-", "##"))]
    assert [line.split(" | ")[1] for line in lines if line.startswith("- ")] == [
        "e:555555555555.2 #3-3",
        "e:555555555555.1 #1-2",
        "e:111111111111.1 #1-2",
        "t:444444444444 #1-1",
    ]
    assert [line.split(",")[0] for line in lines if line.startswith("## ")] == [
        "## Episodes",
        "## Sub-agents",
    ]


def test_a_project_says_in_its_own_papers_what_it_is() -> None:
    paper = "# App\n\n[![badge](x)](y)\n\nA small tool that keeps invoices in order.\n\nMore.\n"
    made = entry(1, wrote(1, "/app/README.md", paper))
    assert "A small tool that keeps invoices in order." in index("INDEX.md", made)
    listed = listed_projects({"app-1": index("INDEX.md", made)[:5]}).splitlines()
    assert listed[2] == (
        "- app-1 | /app | A small tool that keeps invoices in order. | "
        "2026-03-05: 1 session; episodes: 1 success"
    )


def test_the_middle_of_a_readme_does_not_say_what_a_project_is() -> None:
    middle = "    40→It depends on the size of the thing, as a rule.\n"
    made = entry(1, said(1, "look"), read(2, "/app/README.md", middle))
    assert "last worked on: Mend it" in index("INDEX.md", made)


@settings(deadline=None)
@given(st.permutations([FIRST, SECOND, THIRD]))
def test_the_order_of_sessions_makes_no_difference(entries: list[Entry]) -> None:
    assert catalogues("/app", entries) == catalogues("/app", [FIRST, SECOND, THIRD])


def test_names_and_texts_from_outside_are_shown_and_not_obeyed() -> None:
    bad = "[x](http://e)`\x1b[31m\n# Head"
    made = entry(1, said(1, bad), wrote(2, f"/app/{bad}.py", f'LIMIT = "{bad}"\n{bad}'))
    for text in catalogues("/app", [made]).values():
        assert "\x1b" not in text
        assert not any(line.startswith("# Head") for line in text.splitlines())


def test_a_command_stands_beside_its_family_as_it_was_last_typed() -> None:
    first = entry(1, ran(1, "CI=true pnpm install --no-frozen-lockfile"))
    later = entry(2, ran(1, "cd web && pnpm install --no-frozen-lockfile", "boom", 1))
    (line,) = [line for line in index("by-command.md", first, later) if "pnpm install" in line]
    assert "2 steps, 1 failed: t:222222222222#1!; t:111111111111#1" in line
    assert line.endswith("| last typed `cd web && pnpm install --no-frozen-lockfile`")
