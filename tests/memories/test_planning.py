"""The plan offers what recurs, what a person laid down, what clashes: by project, with what it rests on."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Planning
from mcp_memory.domain.models import Draft, Group, Outcome
from mcp_memory.memories.experience import Known, MemoryView, Said, SessionView
from mcp_memory.memories.faults import kind_of
from mcp_memory.memories.planning import plan
from mcp_memory.settings import Settings
from mcp_memory.trajectories.decisions import Decision
from mcp_memory.trajectories.entries import Attempt, Entry, Touched
from mcp_memory.trajectories.mending import Mend

A, B, C = (refs.trajectory_id("test", name) for name in "abc")
UNCHECKED = "…/cart.go:N: Error return value of `f.Close` is not checked (errcheck)"


def session(id_: str = A, *, root: str = "", project: str = "/shop", **told: Any) -> SessionView:
    """A session of ten steps, all one attempt."""
    outcome = told.pop("outcome", Outcome.UNKNOWN)
    day = told.pop("day", "2026-03-01")
    attempt = Attempt(
        number=1, first=1, last=10, day=day, outcome=outcome,
        goal=told.pop("goal", "mend the cart"), files=told.pop("edited", ()),
    )  # fmt: skip
    entry = Entry(
        id=id_, folder="f", day=day, started=f"{day}T10:00:00+00:00", format="claude_code",
        goal="g", outcome=outcome, steps=10, attempts=(attempt,), **told,
    )  # fmt: skip
    return SessionView(root=root or id_, project=project, entry=entry)


def failing(
    id_: str, error: str = UNCHECKED, command: str = "mise run lint", **told: Any
) -> SessionView:
    """A session whose command met an error in step 3."""
    ran = Touched(name=command, steps=(3, 5), marked=(3,), last=command)
    return session(id_, commands=(ran,), errors=(Touched(name=error, steps=(3,)),), **told)


def mend(error: str = UNCHECKED, *done: str, command: str = "mise run lint") -> Mend:
    told = (*(done or ("edited `cart.go`",)), f"then `{command}` went well")
    return Mend(error=error, command=command, failed=3, passed=5, done=told)


def said(id_: str, text: str, *, step: int = 4, user: bool = True) -> Said:
    return Said(session=id_, step=step, by_user=user, text=text)


def planned(sessions: Sequence[SessionView] = (), **known: Any) -> tuple[Group, ...]:
    return plan(Known(sessions=sessions, **known))


def memory(name: str, text: str, **known: object) -> MemoryView:
    return MemoryView.model_validate({"ref": f"m:{name}", "kind": "fact", "text": text} | known)


def test_one_error_in_two_sessions_is_offered_with_its_mending_and_what_it_rests_on() -> None:
    other = UNCHECKED.replace("cart.go", "shop.go").replace("f.Close", "w.Flush")
    (group,) = planned(
        [
            failing(A, mends=(mend(),), outcome=Outcome.SUCCESS),
            failing(B, other, outcome=Outcome.FAILURE, day="2026-03-09"),
        ]
    )
    assert (group.reason, group.project) == ("error", "/shop")
    assert group.refs == (refs.span(A, 3, 5), refs.span(B, 3))
    held = group.support
    assert (held.sessions, held.succeeded, held.failed) == (2, 1, 1)
    assert (held.first, held.last) == ("2026-03-01", "2026-03-09")
    assert "mended: edited `cart.go`; then `mise run lint` went well" in group.shared
    assert "checked" in group.match.split()
    assert group.budget_tokens == 1_500
    assert "gotcha" in group.rules


@pytest.mark.parametrize(
    "sessions",
    [
        [failing(A)],
        [failing(A), failing(B, root=A)],
        [failing(A), failing(B, project="/other")],
    ],
    ids=["one session", "a sub-agent of it", "another project"],
)
def test_an_error_of_one_root_session_of_a_project_is_not_offered(
    sessions: list[SessionView],
) -> None:
    assert planned(sessions) == ()


def test_errors_of_one_run_are_one_proposal_and_what_a_host_says_of_its_tools_is_none() -> None:
    both = [UNCHECKED, "TestCart: total: got N, want N but not checked"]
    met = [failing(s).entry for s in (A, B)]
    errors = tuple(Touched(name=error, steps=(3,)) for error in both)
    harness = Touched(name="File has not been read yet. Read it first before writing.", steps=(8,))
    runs = [SessionView(root=e.id, project="/shop",
                        entry=e.model_copy(update={"errors": (*errors, harness)})) for e in met]  # fmt: skip
    assert len(planned(runs)) == 1


def test_an_error_is_known_again_by_its_kind_and_a_short_one_by_its_words() -> None:
    assert kind_of(UNCHECKED) == kind_of(UNCHECKED.replace("cart", "a").replace("f.Close", "x.Y"))
    assert kind_of("…/a.go:N: undefined: cart") == "undefined: cart"
    missing = "django.db.utils.OperationalError: no such table: __main___book"
    assert kind_of(missing) == kind_of(missing.replace("__main___book", "auth_user"))
    assert kind_of("KeyError: 'a'") != kind_of("ValueError: 'a'")


def test_a_line_that_was_only_written_wrong_twice_is_not_worth_a_memory() -> None:
    wrong = "…/cart.go:N: not enough arguments in call to cart.New"
    assert planned([failing(s, wrong, mends=(mend(wrong),)) for s in (A, B)]) == ()


def test_what_was_added_to_a_failing_line_in_two_sessions_is_offered() -> None:
    error = "commit: cannot auto-sign commit in this folder"
    ran = "GIT_CONFIG_GLOBAL=/dev/null go test ./..."
    mended = Mend(
        error=error, command="go test", failed=3, passed=5, done=(f"then `{ran}` went well",)
    )
    sessions = [failing(s, error, "go test", mends=(mended,)) for s in (A, B)]
    lines = {(s, 3): "Bash: go test ./..." for s in (A, B)}
    groups = planned(sessions, lines=lines)
    (command,) = [group for group in groups if group.reason == "command"]
    assert command.about == "go test: GIT_CONFIG_GLOBAL=/dev/null"
    assert command.shared == (ran,)


@pytest.mark.parametrize(
    "text",
    [
        "we should be using the strong types instead of string wherever we can",
        "Never push straight to main, we always open a pull request.",
        "Bitte immer erst die Tests laufen lassen, sonst bricht main.",
    ],
)
def test_what_a_person_laid_down_is_offered_from_one_session(text: str) -> None:
    (group,) = planned([session()], said=[said(A, text)])
    assert (group.reason, group.refs) == ("correction", (refs.span(A, 4),))
    assert group.support.sessions == 1


@pytest.mark.parametrize(
    "text",
    [
        "can you always commit before you push?",
        "ok, commit and open a PR",
        "replicate --all-refs --stats --verbose never \\",
        "<system-reminder>Never do this, always ask the user first.</system-reminder>",
    ],
)
def test_a_question_an_order_for_once_a_command_and_a_hosts_words_lay_nothing_down(
    text: str,
) -> None:
    assert planned([session()], said=[said(A, text)]) == ()


def test_what_was_laid_down_twice_is_one_proposal_and_counts_more() -> None:
    words = "I'd want literal expectations instead of strings.Contains in every test"
    told = [said(A, words), said(B, f"{words} please"), said(C, "We never use tabs, always spaces")]
    first, _ = planned([session(s) for s in (A, B, C)], said=told)
    assert first.support.sessions == 2


def test_a_refusal_with_words_and_an_answer_are_offered_and_leave_to_go_on_is_not() -> None:
    settled = (
        Decision(
            step=4, text="refused `git stash`: never stash anything, we always read the files"
        ),
        Decision(
            step=6, text='answered Ask: "Where should diagrams of the cart go?"="docs/generated/"'
        ),
        Decision(step=8, text='answered Ask: "Ready to push the branch now?"="Yes, push"'),
    )
    groups = planned([session(decisions=settled)])
    assert {group.reason for group in groups} == {"correction", "decision"}
    assert len(groups) == 2


def test_a_fact_that_agents_of_two_sessions_tell_is_offered() -> None:
    told = [
        said(A, "The `cart_total` column holds the amount in cents without taxes.", user=False),
        said(B, "- The `cart_total` column holds the amount in cents, taxes excluded", user=False),
    ]
    (group,) = planned([session(A), session(B)], said=told)
    assert group.reason == "fact"
    assert planned([session(A), session(B, root=A)], said=told) == ()


def test_a_goal_that_failed_and_was_reached_elsewhere_is_offered_with_what_differed() -> None:
    bad = session(A, outcome=Outcome.FAILURE, goal="mend the rounding of cart totals",
                  edited=("cart.py",))  # fmt: skip
    ran = Touched(name="make migrate", steps=(6,))
    good = session(B, outcome=Outcome.SUCCESS, goal="mend rounding in cart totals",
                   edited=("cart.py", "tax.py"), commands=(ran,))  # fmt: skip
    (group,) = planned([bad, good])
    assert group.reason == "contrast"
    assert group.shared == (
        "only what went well edited: tax.py",
        "only what went well ran: make migrate",
    )
    other = session(B, outcome=Outcome.SUCCESS, goal="translate greeting page", edited=("cart.py",))
    assert planned([bad, other]) == ()


def test_what_a_memory_cites_by_a_short_span_is_left_out() -> None:
    met = [failing(s) for s in (A, B)]
    known = memory("x", "known", evidence=(refs.span(A, 3, 5),))
    assert planned(met, memories=[known]) == ()
    wide = memory("x", "known", evidence=(f"t:{A}",))
    assert planned(met, memories=[wide])


def test_near_memories_are_offered_as_duplicates_nearest_first() -> None:
    held = [memory(n, f"text {n}") for n in "abc"]
    near = [("m:a", "m:b", 0.9), ("m:b", "m:c", 0.99), ("m:a", "m:c", 0.5)]
    groups = planned(memories=held, similar=near)
    assert [group.refs for group in groups] == [("m:b", "m:c"), ("m:a", "m:b")]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("api_server listens on port 8080.", "The port of api_server is 9090."),
        ("Deploys go out from the main branch.", "Deploys go out from the release branch."),
        ("Run the linter before a commit.", "Never run the linter before a commit."),
        ("Node 18 builds the shop.", "Node 20 builds the shop."),
        ("The cart is kept in Redis.", "The cart is kept in Postgres."),
        ("Migrations live in db/migrate.", "Migrations live in sql/changes."),
        ("Retries stop after 3 attempts.", "Retries stop after 5 attempts."),
        ("Tests may use the network.", "Tests may not use the network."),
    ],
)
def test_plain_contradictions_are_told_from_duplicates(text: str, other: str) -> None:
    held = [memory("a", text), memory("b", other)]
    (group,) = planned(memories=held, similar=[("m:a", "m:b", 0.93)])
    assert (group.reason, group.refs) == ("contradiction", ("m:a", "m:b"))


@pytest.mark.parametrize(
    "other",
    [
        "api_server listens on port 8080 only.",
        "web_server listens on port 9090.",
        "api_server has 3 owners.",
    ],
)
def test_the_same_value_another_name_or_another_matter_is_no_contradiction(other: str) -> None:
    held = [memory("a", "api_server listens on port 8080."), memory("b", other)]
    assert planned(memories=held) == ()
    elsewhere = memory("b", "The port of api_server is 9090.", project="/other")
    assert planned(memories=[held[0], elsewhere]) == ()


def test_a_memory_that_its_use_speaks_against_is_offered() -> None:
    held = [
        memory("a", "x", used=5, succeeded=2),
        memory("b", "y", used=4),
        memory("c", "z", used=6, succeeded=3),
    ]
    (group,) = planned(memories=held)
    assert (group.reason, group.refs) == ("unhelpful", ("m:a",))


def test_a_plan_is_bounded_the_same_in_any_order_and_no_reason_crowds_out_the_others() -> None:
    codes = [f"G{n}04: Errors unhandled (gosec)" for n in range(1, 9)]
    met = [failing(refs.trajectory_id("x", f"{code}{n}"), code) for code in codes for n in range(3)]
    rule = said(A, "we should always use strong types instead of string")
    known = Known(sessions=[*met, session()], said=[rule])
    groups = plan(known, limit=6)
    assert len(groups) == 6
    assert "correction" in {group.reason for group in groups}
    turned = Known(sessions=known.sessions[::-1], said=[rule])
    assert {group.id for group in plan(turned, limit=9)} == {g.id for g in plan(known, limit=9)}


@pytest.mark.parametrize(
    ("about", "kept"),
    [
        ("internal/cart.go", True), ("shop.go", False), ("errcheck", True), ("goconst", False),
        (refs.span(A, 2, 4), True), (refs.span(A, 7, 9), False), (f"t:{C}", False),
        ("return value is not checked", True),
    ],
)  # fmt: skip
def test_a_plan_is_narrowed_by_file_error_and_ref(about: str, kept: bool) -> None:  # noqa: FBT001
    file = Touched(name="internal/cart.go", steps=(4,), marked=(4,))
    known = Known(sessions=[failing(A, files=(file,)), failing(B)])
    assert bool(plan(known, about=(about,))) is kept


async def test_comparing_many_memories_leaves_the_loop_free(settings: Settings) -> None:
    async with open_bank(settings.model_copy(update={"project": "/shop"})) as bank:
        await _many(bank, 60)
        longest = 0.0
        done = anyio.Event()

        async def tick() -> None:
            nonlocal longest
            while not done.is_set():
                before = anyio.current_time()
                await anyio.lowlevel.checkpoint()
                longest = max(longest, anyio.current_time() - before)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            await bank.plan(Planning(limit=5))
            done.set()
    assert longest < 1


async def _many(bank: MemoryBank, count: int) -> None:
    for number in range(count):
        await bank.retain(Draft(text=f"The worker w{number} listens on queue q{number}."))


@pytest.mark.parametrize(
    "text",
    [
        "This seems to be stored in the `metadata` branch of the till, not in cart.json.",
        "\u2039summary>Agent `cart.json` review of the till completed and sent\u2039/summary>",
    ],
)
def test_what_points_back_or_stands_in_a_tag_is_no_fact(text: str) -> None:
    told = [said(A, text, user=False), said(B, text, user=False)]
    assert planned([session(A), session(B)], said=told) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Instead of passing the empty cart type, the code should always either:",
        "Every unused variable of the cart must go, such as stopCount at line 485",
        "We should always follow https://github.com/ada/shop/pull/53 in the cart module",
    ],
)
def test_what_is_said_of_one_place_or_request_is_no_rule(text: str) -> None:
    assert planned([session(A)], said=[said(A, text)]) == ()


def test_that_a_test_failed_says_less_than_an_error() -> None:
    told = planned([failing(A, "--- FAIL: TestCart"), failing(B, "--- FAIL: TestCart"),
                    failing(A), failing(B)])  # fmt: skip
    assert "errcheck" in told[0].about


def test_paths_are_told_from_the_project_and_its_worktrees() -> None:
    done = ("edited `/shop/.worktrees/3/src/cart.go`", "edited `/shop/src/till.go`")
    sessions = [failing(one, mends=(mend(UNCHECKED, *done),)) for one in (A, B)]
    (group,) = planned(sessions)
    assert "edited `src/cart.go`; edited `src/till.go`" in " ".join(group.shared)
