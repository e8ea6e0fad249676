"""Orders: a purge that was begun, by refs alone, so that after a kill it is brought to its end."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from mcp_memory.domain.errors import of_system
from mcp_memory.domain.models import Frozen
from mcp_memory.domain.replacing import replace
from mcp_memory.forgetting.begun import NAME
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.settings import Settings

LOCK = "purging.lock"
"""Held while a purge is carried out: whoever else finds its order leaves it alone."""


class Order(Frozen):
    """What is to be erased; refs only, for what goes must not be written down once more."""

    hidden: Hidden
    memories: tuple[str, ...] = ()
    lost: Mapping[str, tuple[str, ...]] = {}
    """Memories that stay, to the evidence that they lose."""
    heads: Mapping[str, tuple[str, ...]] = {}
    """Sessions that stay, to what is emptied of all that is told of them."""


def give(settings: Settings, order: Order) -> Path:
    """Write an order down, before anything is changed.

    Raises:
        StoreFull: the disk took no more; nothing was begun.
        HomeRefused: it may not be written.
    """
    file = settings.store_dir / NAME.format(uuid4().hex)
    try:
        replace(file, order.model_dump_json().encode())
    except OSError as error:
        raise of_system(error) from error
    return file


def pending(settings: Settings) -> list[tuple[Path, Order]]:
    """Orders that were begun and not carried out; what is none is passed over."""
    found = []
    for file in sorted(settings.store_dir.glob(NAME.format("*"))):
        try:
            found.append((file, Order.model_validate_json(file.read_bytes())))
        except (OSError, ValidationError):
            continue
    return found


def done(file: Path) -> None:
    """Take an order away that was carried out."""
    file.unlink(missing_ok=True)
