"""What an answer takes is counted as the widest host counts it, whatever its words are."""

import json

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import SourceClass
from mcp_memory.search import composing, voicing
from mcp_memory.search.passages import Passage

WORDS = st.text(st.characters(codec=None), max_size=40)


@given(WORDS, WORDS, st.floats(0, 1).map(lambda score: round(score, 2)))
def test_an_answer_is_as_long_as_its_json_in_ascii(text: str, title: str, score: float) -> None:
    hit = Hit(ref="t:a#1", text=text, title=title, score=score, source=SourceClass.USER)
    for model in (hit, SearchResult(found=True, hits=(hit,), notes=(title,))):
        told = model.model_dump(mode="json", exclude_defaults=True)
        assert composing.size(model) == len(json.dumps(told, separators=(",", ":")))


@given(WORDS, WORDS)
def test_a_passage_is_as_long_as_its_words_in_json(text: str, head: str) -> None:
    whole = len(json.dumps(text)) + (len(json.dumps(head)) + 1 if head else 0)
    assert voicing.length(Passage("said", text, head)) == whole
