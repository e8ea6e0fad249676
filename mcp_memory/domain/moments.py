"""Moments: a day or a time as a writer gives it, aware of its zone."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]
"""Without a zone it is UTC."""
SaidMoment = Annotated[Moment | None, WithJsonSchema({"type": "string"})]
"""The same where it may be left out; its schema is as short as it can be."""
