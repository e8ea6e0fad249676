"""Unsound lines: what no verb could read is refused and named, even with the owner's seal."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from failing_session import gotcha, session

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.checkup import doctor
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Draft
from mcp_memory.history import exchange
from mcp_memory.importing import bringing
from mcp_memory.importing.bringing import Source
from mcp_memory.settings import Settings

CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "a memory's body that is cut": ("memory", {"body": '{"nothing":1'}),
    "a memory's body of another": ("memory", {"key": "m:0123456789ab"}),
    "a memory's ref that is a path": ("memory", {"key": "m:../../x"}),
    "a memory's version below one": ("memory", {"version": 0}),
    "a folder outside the archive": ("session", {"folder": "../../x"}),
    "a folder that is a path": ("session", {"folder": "/etc/cron.d"}),
    "a session's body that is cut": ("session", {"body": "{}"}),
    "a session's entry that is cut": ("session", {"entry": "[]"}),
    "a session's id that is a path": ("session", {"id": "../x"}),
    "more steps than there can be": ("session", {"steps": 1 << 40}),
    "hidden steps that are none": ("session", {"hidden": '{"x": 1}'}),
    "a step's body that is cut": ("evidence", {"body": "{"}),
    "a step beyond all numbers": ("evidence", {"first": 1 << 40, "last": 1 << 40}),
    "a step of an unknown kind": ("evidence", {"kind": "rumour"}),
    "a state that is none": ("evidence", {"state": "undead"}),
}


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index([session(tmp_path, "0c8a6e3e-0000-4000-8000-000000000001")])
        await gotcha(bank)
        yield bank


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("change", CHANGES)
async def test_an_unsound_line_is_refused_and_the_bank_stays_whole(
    bank: MemoryBank, settings: Settings, tmp_path: Path, change: str, *, sealed: bool
) -> None:
    kind, values = CHANGES[change]
    file = tmp_path / "export.jsonl"
    await exchange.export(bank.rooms, file)
    told = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    bad = next(line for line in told if line.get("kind") == kind)
    bad["row"] |= values
    bad["sha256"] = refs.digest(bad["row"])
    key, _ = await bank.rooms.store.tombstones()
    bad["seal"] = exchange._seal(key, kind, bad["sha256"]) if sealed else ""
    file.write_text("\n".join(map(json.dumps, told)) + "\n", "utf-8")
    home = tmp_path / "elsewhere"
    async with open_bank(settings.model_copy(update={"home": home})) as other:
        source = Source(file, keys=(key,) if sealed else ())
        done = await bringing.import_(other.rooms, source)
        assert done.refused
        assert (await other.retain(Draft(text="The valve needs oil", project="shop"))).ref
        await other.search(Query(texts=("valve",), project="*"))
    async with open_bank(settings.model_copy(update={"home": home})) as other:
        found = await doctor.check(other.rooms)
        assert [f.what for f in found if not f.good and f.subject not in {"disk", "hosts"}] == []
    assert not (tmp_path / "x").exists()
