"""A search without a server loads what it enters, and leaves nothing unfinished that a bank would end."""

import subprocess
import sys

import pytest

from mcp_memory.bank import open_bank
from mcp_memory.cli.finding import found
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Draft
from mcp_memory.forgetting import orders
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.forgetting.orders import Order
from mcp_memory.settings import Settings

HERONS = Query(texts=("where do herons nest",), project="*")


async def kept(settings: Settings) -> str:
    """A bank with one memory; its ref."""
    async with open_bank(settings) as bank:
        draft = Draft(text="Herons nest in the tall reeds of the north shore", project="birds")
        return (await bank.retain(draft)).ref


async def test_it_answers_as_the_open_bank_does(settings: Settings) -> None:
    await kept(settings)
    async with open_bank(settings) as bank:
        whole = await bank.search(HERONS)
    assert whole.found
    assert await found(settings, HERONS) == whole


async def test_a_purge_that_was_begun_is_brought_to_its_end_before_the_answer(
    settings: Settings,
) -> None:
    ref = await kept(settings)
    orders.give(settings, Order(hidden=Hidden(), memories=(ref,)))
    assert not (await found(settings, HERONS)).hits
    assert not orders.pending(settings)


async def test_an_unknown_project_is_refused_as_elsewhere(settings: Settings) -> None:
    await kept(settings)
    with pytest.raises(InvalidInput, match="No history of a project"):
        await found(settings, Query(texts=("herons",), project="nowhere"))


def test_it_loads_no_room_that_it_does_not_enter() -> None:
    loaded = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, mcp_memory.cli.finding; print(*sys.modules)",
        ],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    apart = ("readers", "history", "importing", "checkup", "runbook", "remote", "bank")
    assert not [each for each in loaded if each.startswith(tuple(f"mcp_memory.{a}" for a in apart))]
    assert "lancedb" not in loaded
