"""What is known of a memory's use becomes an estimate that says how sure it is."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.uses import Use

some = st.integers(0, 500)


def test_what_was_never_used_is_as_likely_as_not_and_nothing_is_told_of_it() -> None:
    likely, unsure = Use().helps
    assert (likely, round(unsure, 2)) == (0.5, 0.47)
    assert Use().told() == ()


@given(some, some, some, some)
def test_an_estimate_stays_within_its_bounds(well: int, badly: int, up: int, down: int) -> None:
    use = Use(voices=(well, badly), went_well=up, went_badly=down)
    likely, unsure = use.helps
    assert 0 < likely < 1
    assert 0 < unsure <= 0.5
    better = use.model_copy(update={"voices": (well + 1, badly)})
    assert better.helps[0] >= likely


def test_sessions_count_less_than_words_and_never_outweigh_a_handful_of_them() -> None:
    assert Use(went_well=4).weights == (1.0, 0.0)
    assert Use(went_badly=4000).weights == (0.0, 3.0)
    assert Use(well=5, voices=(5, 0), went_badly=4000).helps[0] > 0.5


def test_who_says_the_same_thirty_times_counts_once() -> None:
    assert Use(well=30, voices=(1, 0)).weights == Use(well=1, voices=(1, 0)).weights


def test_a_use_is_told_thing_by_thing() -> None:
    use = Use(
        shown=4, opened=2, well=2, badly=1, unknown=1, voices=(2, 1), went_well=3, went_unknown=1
    )
    assert use.told() == (
        "shown 4",
        "opened 2",
        "used 4: 2 well, 1 badly, 1 unknown",
        "met in 4 later: 3 well, 0 badly",
        "helps 0.65 ± 0.30",
    )
