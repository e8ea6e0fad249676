"""Earlier work is told by what was asked, what was done and how it ended; and what it met and took."""

from worked import ROOT, attempt, later, mend, session, touched

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome
from mcp_memory.runbook import attempts, changed, commands, mends, rulings
from mcp_memory.trajectories.changes import Changed
from mcp_memory.trajectories.decisions import Decision
from mcp_memory.trajectories.landed import Landed

NOTE = "Note: The user's next message may contain a correction or preference."
GOSEC = "\u2026/cart.go:N: G104: Errors unhandled (gosec)"


def test_an_attempt_begins_at_its_beginning_and_says_how_it_ended() -> None:
    one = attempt(session("a"), said="The `lock_cart()` call waits now.\n\nAll tests pass.")
    assert attempts.told(one, ("cart",)) == (
        "2026-03-01 Mend the cart. \u00b7 agent: The `lock_cart()` call waits now. "
        "\u00b7 ended: `make test` went well"
    )


def test_a_commit_sums_an_attempt_up_also_where_the_next_request_made_it() -> None:
    landed = Landed(step=25, day="2026-03-01", hash="6fe41fe", subject="Lock the cart")
    of = session("a", landed=(landed,), attempts=(later(2, "commit this"),))
    assert 'committed 6fe41fe "Lock the cart"' in attempts.told(attempt(of), ("cart",))
    reworked = session("b", landed=(landed,), attempts=(later(2, "another thing", "till.py"),))
    assert "6fe41fe" not in attempts.told(attempt(reworked), ("cart",))


def test_what_was_taken_back_is_said_to_be() -> None:
    landed = Landed(step=5, day="2026-03-01", hash="6fe41fe", subject="Lock it", undone=9)
    assert "taken back in #9" in attempts.told(attempt(session("a", landed=(landed,))), ())


def test_a_correction_of_the_same_files_is_told_with_what_it_corrects() -> None:
    of = session("a", attempts=(later(2, "please keep the old name", "cart.py"),))
    assert attempts.told(attempt(of), ()).endswith("then asked: please keep the old name")


def test_a_failure_names_its_command_short() -> None:
    one = attempt(
        session("a"),
        outcome="failure",
        reason="step 9: `cd web && make test 2>&1 | tail -5` exit code 2, not made good later",
    )
    assert attempts.told(one, ()).endswith("`make test` failed (exit code 2), not made good later")


def test_a_goal_that_is_hidden_is_not_told() -> None:
    of = session("a", attempts=(later(1, "(hidden)"),))
    assert "Mend the cart" not in attempts.told(attempt(of), ())


def test_only_what_is_nearly_as_sure_as_the_surest_is_told_and_work_before_talk() -> None:
    a, b, c = session("a"), session("b"), session("c")
    sure, talk, far = attempt(a), attempt(b, paths=(), score=0.39), attempt(c, score=0.1)
    assert attempts.chosen((talk, far, sure)) == (sure, talk)
    assert attempts.chosen([attempt(a, number=n) for n in range(1, 6)])[3:] == ()


def test_an_error_is_told_with_the_change_that_mended_it() -> None:
    fix = Changed(
        path="src/cart.go", step=4, day="2026-03-01", old="f.Close()", new="_ = f.Close()"
    )
    a = session("a", mends=(mend(GOSEC, "edited `/home/ada/shop/src/cart.go`"),), changes=(fix,),
                errors=(touched(GOSEC, 3),))  # fmt: skip
    b = session("b", errors=(touched(GOSEC.replace("cart", "till"), 8),))
    (one,) = mends.of_task((), "`make lint` complains", {s.entry.id: s for s in (a, b)})
    assert mends.told(one) == (
        "G104: Errors unhandled (gosec) (`make lint`, met in 2 sessions) \u2192 "
        "in cart.go `f.Close()` became `_ = f.Close()`, 2026-03-01"
    )
    assert one.ref == refs.span(a.entry.id, 3, 5)


def test_an_accident_of_one_session_is_no_error_on_the_way() -> None:
    a = session("a", mends=(mend("undefined: lockCart", "edited `x.go`"),),
                errors=(touched("undefined: lockCart", 3),))  # fmt: skip
    assert mends.of_task((attempt(a),), "mend the till", {a.entry.id: a}) == ()


def test_the_same_error_is_found_wherever_it_was_met_before() -> None:
    a = session("a", mends=(mend("ModuleNotFoundError: No module named 'flask'", "ran `pip install flask`",
                                 command="pytest"),))  # fmt: skip
    (one,) = mends.of_error(
        'Traceback (most recent call last):\n  File "/tmp/x.py", line 3, in <module>\n'
        "ModuleNotFoundError: No module named 'flask'",
        {a.entry.id: a},
    )
    assert "ran `pip install flask`" in mends.told(one)
    assert mends.of_error("KeyError: 'price'", {a.entry.id: a}) == ()


def test_an_error_that_was_met_and_never_mended_is_told_by_where() -> None:
    a = session("a", errors=(touched("KeyError: 'price'", 3, 7),))
    assert mends.unmended("KeyError: 'price'", {a.entry.id: a}) == (refs.span(a.entry.id, 7),)


def test_an_environment_that_made_a_command_go_well_is_told() -> None:
    made = mend("cannot auto-sign commit", command="go test")
    made = made.model_copy(
        update={"done": ("then `GIT_CONFIG_GLOBAL=/dev/null go test ./...` went well",)}
    )
    a = session("a", mends=(made,))
    (one,) = mends.of_error("cannot auto-sign commit", {a.entry.id: a})
    assert "`GIT_CONFIG_GLOBAL=/dev/null go test ./...` went well" in mends.told(one)


def test_commands_tell_how_they_fared_in_the_whole_project() -> None:
    ran = touched("make test", 4, 9, failed=(4,), last="make test 2>&1")
    a = session("a", commands=(ran, touched("git push", 12)))
    b = session("b", "2026-03-02", commands=(touched("make test", 2, last="make test"),))
    known = {s.entry.id: s for s in (a, b)}
    (one,) = commands.of_task((attempt(a),), "mend the cart", known)
    assert commands.told(one) == "`make test` failed 1 of 3 times in 2 sessions, last 2026-03-02"
    assert one.ref == refs.span(b.entry.id, 2)


def test_a_command_that_nobody_typed_twice_is_told_by_what_can_be_typed() -> None:
    def told(family: str, *lines: str) -> list[str]:
        known = [session(line, commands=(touched(family, 4, last=line),)) for line in lines]
        ran = commands.of_task([attempt(one) for one in known], "", {s.entry.id: s for s in known})
        return [one.line for one in ran]

    assert told("go test -run", *(f"go test ./{n} -run {n}" for n in range(3))) == []
    assert told("go test", *(f"go test ./{n}" for n in range(3))) == ["go test"]
    assert told("go test -run", "go test -run A", "go test -run A") == ["go test -run A"]


def test_a_file_is_the_same_in_every_worktree() -> None:
    a = attempt(session("a"), paths=(f"{ROOT}/.worktrees/2/src/cart.py",))
    b = attempt(session("b"), paths=(f"{ROOT}/src/cart.py", f"{ROOT}/src/once.py", "/etc/hosts"))
    c = attempt(session("c"), paths=(f"{ROOT}/src/till.py", "src/till.py"))
    (place,) = changed.of_task((a, b, c), ())
    assert changed.told(place, 3) == "src/cart.py changed in 2 of 3 attempts, last 2026-03-01"
    assert [one.path for one in changed.of_task((a, b, c), ("once.py",))][1:] == ["src/once.py"]


def test_answers_and_reasoned_refusals_are_the_users_rulings() -> None:
    told = (
        'answered AskUserQuestion: Your questions have been answered: "Lock the cart?"="Yes, per tab".',
        f"refused `{ROOT}/src/cart.py`: keep the cart as it is {NOTE}",
        "refused `ls`",
        "refused `ExitPlanMode`: is the lock of the cart needed at all?",
        "refused `ExitPlanMode`: leave the lock as it is",
        "plan accepted: # Lock the cart per tab ## Context It grew",
    )
    a = session("a", decisions=tuple(Decision(step=n, text=text) for n, text in enumerate(told, 1)))
    found = rulings.of_task((attempt(a),), ("lock", "cart"), {a.entry.id: a})
    assert {rulings.told(one) for one in found} == {
        'asked "Lock the cart?", the user chose "Yes, per tab" (2026-03-01)',
        'refused `src/cart.py`: "keep the cart as it is" (2026-03-01)',
        'refused a plan: "leave the lock as it is" (2026-03-01)',
        'accepted the plan "Lock the cart per tab" (2026-03-01)',
    }
    assert rulings.of_task((attempt(a),), ("printer",), {a.entry.id: a}) == ()


def test_titles_go_by_the_outcome() -> None:
    assert set(attempts.TITLES) == set(Outcome)
