"""Clusters: the options by which a command's heavy part runs on workers, and who hires them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import click

from mcp_memory.bank import MemoryBank
from mcp_memory.cli.options import several
from mcp_memory.history.bulk.shards import Model
from mcp_memory.history.crew import Hire

on = several(
    click.option(
        "--on",
        metavar="CLUSTER",
        help="Prepare on workers of a Ray cluster: `local`, `auto` or ray://HOST:PORT.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        metavar="N",
        help="With --on: so many at once, not as many as there are processors.",
    ),
)

HireFor = Callable[[MemoryBank], Hire | None]


@asynccontextmanager
async def reached(on: str | None, workers: int | None) -> AsyncIterator[HireFor]:
    """Who hires the workers for a bank, let go with the block; nobody where no cluster is named.

    To be entered before a bank is opened: Ray starts processes, which LanceDB does not bear later.

    Raises:
        InvalidInput: Ray is not installed, nothing answers there, or its workers are unlike.
    """
    if on is None:
        yield lambda _: None
        return
    from mcp_memory.history.bulk.cluster import connected

    with connected(on, workers=workers) as hiring:
        yield lambda bank: hiring(model_of(bank))


def model_of(bank: MemoryBank) -> Model | None:
    """The model by which workers make its vectors; None while it goes by words only."""
    rooms = bank.rooms
    ready = rooms.embedder is not None and rooms.store.vectors_ready
    return Model.of(rooms.settings) if ready else None
