"""Metrics: how many requests a server answered, how fast and how they ended, in Prometheus' form."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_memory.domain.models import Status

BUCKETS = (0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)
"""Upper bounds in seconds."""
_PATH = re.compile(r"/(mcp|sse|messages|view|healthz|readyz|archive|metrics)(?=/|$)")


class Metrics:
    """Counters of one process since it started; no names, no contents."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._ended: Counter[tuple[str, int]] = Counter()
        self._below: Counter[tuple[str, float]] = Counter()
        self._seconds: dict[str, float] = {}
        self.under_way = 0

    def note(self, path: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        where = found[1] if (found := _PATH.match(path)) else "other"
        self._ended[where, status] += 1
        self._seconds[where] = self._seconds.get(where, 0.0) + seconds
        for bound in BUCKETS:
            self._below[where, bound] += seconds <= bound

    def load(self) -> dict[str, float]:
        """What a person looks at."""
        answered = sum(self._ended.values())
        up = time.monotonic() - self._since
        return {
            "hours up": round(up / 3600, 2),
            "requests": answered,
            "a minute": round(answered / max(up, 1) * 60, 1),
            "refused or failed": sum(
                n for (_, status), n in self._ended.items() if status >= HTTPStatus.BAD_REQUEST
            ),
            "under way": self.under_way,
        }

    def told(self, status: Status) -> str:
        """All figures, one a line."""
        return "\n".join((*self._requests(), *_bank(status))) + "\n"

    def _requests(self) -> Iterator[str]:
        yield "# TYPE mcp_memory_requests_total counter"
        for (where, status), count in sorted(self._ended.items()):
            yield f'mcp_memory_requests_total{{path="{where}",status="{status}"}} {count}'
        yield "# TYPE mcp_memory_request_seconds histogram"
        for where in sorted({where for where, _ in self._ended}):
            whole = sum(n for (path, _), n in self._ended.items() if path == where)
            for bound in BUCKETS:
                below = self._below[where, bound]
                yield f'mcp_memory_request_seconds_bucket{{path="{where}",le="{bound:g}"}} {below}'
            yield f'mcp_memory_request_seconds_bucket{{path="{where}",le="+Inf"}} {whole}'
            yield f'mcp_memory_request_seconds_sum{{path="{where}"}} {self._seconds[where]:.6f}'
            yield f'mcp_memory_request_seconds_count{{path="{where}"}} {whole}'
        yield "# TYPE mcp_memory_requests_under_way gauge"
        yield f"mcp_memory_requests_under_way {self.under_way}"


class Counted:
    """ASGI: counts what passes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and note how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, ended = time.monotonic(), [500]

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                ended[0] = message["status"]
            await send(message)

        self._metrics.under_way += 1
        try:
            await self._app(scope, receive, seen)
        finally:
            self._metrics.under_way -= 1
            self._metrics.note(scope["path"], ended[0], time.monotonic() - started)


def _bank(status: Status) -> Iterator[str]:
    yield "# TYPE mcp_memory_records gauge"
    for name, count in status.counts.items():
        yield f'mcp_memory_records{{kind="{name}"}} {count}'
    yield "# TYPE mcp_memory_bytes gauge"
    yield f"mcp_memory_bytes {status.bytes}"
