"""Confidence is high where the answer is, and below the floor where what is named is not there."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.search import confidence
from mcp_memory.search.confidence import Lacking, Signs
from mcp_memory.settings import Settings
from mcp_memory.text import wording

FLOOR = Settings.model_fields["floor"].default
QUESTION = "How does cart_total round the discount in checkout?"
LARGE = 50_000


def lacking(question: str, *texts: str, rows: int = LARGE) -> Lacking:
    """What these texts, as all of history, lack of a question."""
    asked = wording.informative(question)
    held = [confidence.holdings(asked, text) for text in texts]
    gone = frozenset(confidence.missing(question, held))
    return confidence.lacking(
        question, held, gone, tells=confidence.telling(rows, 40, terms=len(asked))
    )


def sure(question: str, *texts: str, similar: float | None = 0.5, rows: int = LARGE) -> list[float]:
    """The confidence in each of the texts, best first."""
    asked = wording.informative(question)
    signs = [
        Signs(1 - 0.05 * place, confidence.share(confidence.holdings(asked, text)), similar)
        for place, text in enumerate(texts)
    ]
    return confidence.of_evidence(signs, lacking(question, *texts, rows=rows))


def test_it_clears_the_floor_where_what_is_named_is_there() -> None:
    assert sure(QUESTION, "cart_total rounds the discount to cents at checkout")[0] > 4 * FLOOR


def test_it_stays_below_the_floor_where_what_is_named_is_nowhere() -> None:
    question = "How does the Kubernetes deployment of Vault round the discount in checkout?"
    assert sure(question, "the discount is rounded in checkout")[0] < FLOOR


def test_a_short_question_about_a_thing_that_nothing_holds_is_silent_whatever_its_letters() -> None:
    held = "a topic of the checkpoints, which go to a branch"
    assert sure("which topic do checkpoints go to", held)[0] > FLOOR
    assert sure("which kafka topic do checkpoints go to", held)[0] < FLOOR


def test_a_name_at_the_end_of_a_task_is_a_premise_and_no_veto() -> None:
    task = "Add a check to the doctor command that finds checkpoints without a session."
    told = f"{task} Put it into the command that is there."
    assert sure(f"{task} Put it into mend_orphans.go.", told)[0] > FLOOR
    assert lacking(f"{task} Put it into mend_orphans.go.", told).unknown == ("mend_orphans.go",)
    assert sure("What does mend_orphans.go do?", told)[0] < FLOOR


def test_in_a_small_bank_a_word_that_nothing_holds_tells_little() -> None:
    held = "the heron build needs two nests"
    assert sure("heron build requirements", held, rows=20)[0] > FLOOR
    assert sure("heron build requirements", held)[0] < sure(
        "heron build requirements", held, rows=20
    )[0]  # fmt: skip


def test_a_few_long_records_hold_as_many_words_as_many_short_ones() -> None:
    assert confidence.telling(1_200, 1_700, terms=4) == 1.0
    assert confidence.telling(50_000, 40, terms=4) == 1.0
    assert confidence.telling(600, 150, terms=4) == 0.3


def test_a_long_question_may_have_words_of_its_own_in_a_small_project() -> None:
    assert confidence.telling(600, 5_000, terms=12) == 0.3


def test_a_memory_is_as_sure_as_the_surest_and_no_surer_than_one_before_it() -> None:
    signs = [Signs(1.0, 0.4, 0.5), Signs(0.8, 0.9, 0.8), Signs(0.2, 0.0, 0.1)]
    scores = confidence.of_memories(signs, Lacking())
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.9


@given(
    st.text(max_size=80),
    st.lists(st.text(max_size=200), min_size=1),
    st.none() | st.floats(-1, 1),
)
def test_it_is_a_share(question: str, texts: list[str], similar: float | None) -> None:
    assert all(0 <= one <= 1 for one in sure(question, *texts, similar=similar))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1))))
def test_order_and_score_agree(told: list[tuple[float, float, float]]) -> None:
    signs = sorted((Signs(*one) for one in told), key=lambda one: -one.place)
    for measure in (confidence.of_evidence, confidence.of_memories):
        scores = measure(signs, Lacking())
        assert scores == sorted(scores, reverse=True)


def signs(*each: tuple[float, float | None]) -> list[Signs]:
    return [Signs(1.0, held, similar) for held, similar in each]


SHORT = "terraform state bucket for staging"


def test_a_short_question_whose_words_no_record_holds_together_is_scattered() -> None:
    apart = signs((0.42, 0.3), (0.2, 0.4))
    assert confidence.scattered(SHORT, apart)
    assert not confidence.scattered(SHORT, [*apart, *signs((0.8, 0.3))])
    assert not confidence.scattered(SHORT, [*apart, *signs((0.3, 0.7))])
    assert max(confidence.of_evidence(apart, Lacking(scattered=True))) < FLOOR


def test_a_longer_question_or_one_without_vectors_or_in_cjk_is_never_scattered() -> None:
    apart = signs((0.42, 0.3))
    assert not confidence.scattered(f"{SHORT}, which region, which lock table and owner", apart)
    assert not confidence.scattered(SHORT, signs((0.42, None)))
    assert not confidence.scattered("\u72b6\u6001\u5b58\u50a8\u6876", apart)


def test_of_two_names_that_a_question_offers_one_is_enough() -> None:
    told = "the greys of the theme look alike in Code and differ in Ghostty"
    one = "why do greys of the theme look alike in Code, not in Ghostty"
    plain = lacking(one, told)
    for pair in ("Code/Zed", "Zed / Code", "Code or Zed"):
        either = lacking(one.replace("Code", pair), told)
        assert (either.gone, either.unheard) == (plain.gone, plain.unheard)
        assert either.unknown == ("Zed",)
    for pair in ("Code and Zed", "Emacs/Zed"):
        lost = lacking(one.replace("Code", pair), told)
        assert lost.gone > plain.gone
        assert lost.unheard > 0
