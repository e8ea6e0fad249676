"""Confidence is high where the answer is, and below the floor where what is named is not there."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.search import confidence
from mcp_memory.settings import Settings
from mcp_memory.text import wording

FLOOR = Settings.model_fields["floor"].default
QUESTION = "How does cart_total round the discount in checkout?"


def sure(question: str, *texts: str, similarity: float | None = 0.5) -> float:
    """The confidence in the first of the texts that search found."""
    asked = wording.informative(question)
    held = [confidence.holdings(asked, text) for text in texts]
    unheard = confidence.unheard(asked, held)
    return confidence.confidence(held[0], similarity=similarity, unheard=unheard)


def test_it_is_high_where_what_is_named_is_there() -> None:
    assert sure(QUESTION, "cart_total rounds the discount to cents at checkout") > 0.8


def test_it_stays_below_the_floor_where_what_is_named_is_nowhere() -> None:
    question = "How does the Kubernetes deployment of Vault round the discount in checkout?"
    assert sure(question, "the discount is rounded in checkout", similarity=0.4) < FLOOR


def test_a_name_that_another_hit_holds_is_not_unheard_of() -> None:
    alone = sure(QUESTION, "the discount is rounded in checkout")
    with_other = sure(QUESTION, "the discount is rounded in checkout", "def cart_total(): ...")
    assert with_other > alone


def test_words_that_only_ask_say_nothing() -> None:
    assert sure("How does the scheduler handle it?", "how does the parser do it") < FLOOR


def test_it_rises_with_similarity_and_goes_by_words_where_there_are_no_vectors() -> None:
    text = "logging in takes long"
    question = "sign-in is slow"
    assert sure(question, text, similarity=0.9) > sure(question, text, similarity=0.3)
    assert sure(QUESTION, "cart_total rounds the discount at checkout", similarity=None) > 0.8


@given(st.text(max_size=80), st.lists(st.text(max_size=200), min_size=1), st.floats(-1, 1))
def test_it_is_a_share(question: str, texts: list[str], similarity: float) -> None:
    assert 0 <= sure(question, *texts, similarity=similarity) <= 1
