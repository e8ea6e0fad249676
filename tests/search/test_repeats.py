"""One fact is one hit: copies, forks, an episode and its first step."""

from mcp_memory.search import repeats
from mcp_memory.search.repeats import Fact

PLAN = "Step one: move the refs into batches of five thousand.\nStep two: say after each how far it is."


def once(*facts: Fact) -> list[tuple[str, tuple[str, ...]]]:
    return [(fact.ref, also) for fact, also in repeats.once(facts, lambda fact: fact)]


def test_a_plan_pasted_into_three_sessions_is_one_hit_with_the_others_refs() -> None:
    pasted = Fact("t:b#1", f"Implement the following plan.\n{PLAN}")
    assert once(Fact("t:a#9", PLAN), pasted, Fact("t:c#1", PLAN)) == [("t:a#9", ("t:b#1", "t:c#1"))]


def test_an_episode_and_its_first_step_are_one_hit() -> None:
    made = once(Fact("e:a.1", "mend it", ("a", 4)), Fact("t:a#4", "please mend it", ("a", 4)))
    assert made == [("e:a.1", ("t:a#4",))]


def test_a_step_and_its_output_are_one_hit_and_cite_nothing_else() -> None:
    assert once(Fact("t:a#4", "ran"), Fact("t:a#4", "its output")) == [("t:a#4", ())]


def test_what_shares_a_line_says_more() -> None:
    other = Fact(
        "t:b#2", f"{PLAN.splitlines()[0]}\nBut the server refuses batches of that size now."
    )
    assert len(once(Fact("t:a#9", PLAN), other)) == 2


def test_a_memory_is_nobodys_repeat() -> None:
    assert len(once(Fact("t:a#9", PLAN), Fact("m:a", PLAN, alone=True))) == 2
