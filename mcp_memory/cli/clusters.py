"""Clusters: the options by which a command's heavy part runs on workers, and who hires them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from mcp_memory.bank import MemoryBank
from mcp_memory.checkup.remaking import Elsewhere
from mcp_memory.cli.options import several
from mcp_memory.history.bulk.cluster import TEXTS, Cluster, connected
from mcp_memory.history.bulk.shards import Model
from mcp_memory.history.crew import Hire

on = several(
    click.option(
        "--on",
        metavar="CLUSTER",
        help="Prepare, or embed, on workers of a Ray cluster: `local`, `auto` or ray://HOST:PORT.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        metavar="N",
        help="With --on: so many at once, not as many as there are processors.",
    ),
)


@asynccontextmanager
async def reached(on: str | None, workers: int | None) -> AsyncIterator[Cluster | None]:
    """The cluster that is named, for a block; None where none is.

    To be entered before a bank is opened: Ray starts processes, which LanceDB does not bear later.

    Raises:
        InvalidInput: Ray is not installed, nothing answers there, or its workers are unlike.
    """
    if on is None:
        yield None
        return
    with connected(on, workers=workers) as cluster:
        yield cluster


def hiring(cluster: Cluster | None, bank: MemoryBank) -> Hire | None:
    """Who hires workers to prepare transcripts for a bank, vectors included where it goes by any."""
    if cluster is None:
        return None
    rooms = bank.rooms
    ready = rooms.embedder is not None and rooms.store.vectors_ready
    return cluster.hiring(Model.of(rooms.settings) if ready else None)


def embedding(cluster: Cluster | None, bank: MemoryBank) -> Elsewhere | None:
    """Who makes vectors for a bank on workers, two tasks a worker at a time."""
    if cluster is None:
        return None
    embed = cluster.embedding(Model.of(bank.rooms.settings))
    return Elsewhere(embed, rows=2 * TEXTS * cluster.workers)
