"""A newer memory that gives the same sentence another value is found; anything less certain is not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.models import Memory, MemoryKind, SourceClass, Standing
from mcp_memory.search.restating import claim, restated

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PORT = "The port of the heron service is 4821."


def said(*texts: str, **fields: object) -> list[Memory]:
    """Memories `m:0`, `m:1` and so on, an hour apart."""
    common = {
        "version": 1,
        "kind": MemoryKind.FACT,
        "project": "/nest",
        "source": SourceClass.AGENT,
        "trust": 0.6,
        "standing": Standing.CANDIDATE,
        "batch": "b:1",
        **fields,
    }
    return [
        Memory.model_validate(
            {
                "ref": f"m:{place}",
                "text": text,
                "created_at": NOON + timedelta(hours=place),
                **common,
            }
        )
        for place, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    "newer",
    [
        "The port of the heron service is 7710.",
        "We moved: the port of the heron service is now 7710.",
        "the port of the heron service is 7710",
    ],
)
def test_another_value_in_the_same_words_restates(newer: str) -> None:
    assert restated(said(PORT, newer)) == {"m:0": "m:1"}


def test_of_several_the_newest_is_named() -> None:
    texts = [f"The timeout of the heron client is {n} seconds." for n in (5, 30, 90)]
    assert restated(said(*texts)) == {"m:0": "m:2", "m:1": "m:2"}


@pytest.mark.parametrize(
    "other",
    [
        PORT,
        "The port of the otter service is 7710.",
        "The port of the heron service in the staging cluster of Oslo is 7710.",
        "The port of the heron service is 7710. It was changed for the proxy.",
        "The port of the heron service is chosen by the host.",
        "7710 is the port of the heron service that nobody may change",
    ],
)
def test_what_is_less_certain_is_let_be(other: str) -> None:
    assert restated(said(PORT, other)) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"project": "/reed"},
        {"kind": MemoryKind.GOTCHA},
        {"superseded_by": "m:9"},
        {"state": "forgotten"},
    ],
)
def test_another_project_or_kind_and_what_holds_no_more_restate_nothing(
    fields: dict[str, object],
) -> None:
    theirs = said("", "The port of the heron service is 1.", **fields)
    assert restated([*said(PORT), *theirs]) == {}


@given(st.text(max_size=400))
def test_any_text_is_read_as_a_claim_or_as_none(text: str) -> None:
    made = claim(text)
    assert made is None or (made.value and len(made.words) >= 3)
