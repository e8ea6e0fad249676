"""Calls: each tool by its own schema and by mutation, over stdio and HTTP; every answer is judged.

    python benchmarks/calls.py --count 10000

Arguments are drawn from the input schema, then spoilt: other types, huge and strange strings, unknown
keys. An answer must be valid by the tool's output schema or an error that the model can read; a
protocol error is one only where the arguments break the input schema.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from apparatus import banks
from apparatus.servers import OURS, environment, listening
from apparatus.timing import machine, middle, quantile
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

LONGEST_SECONDS = 60.0
WITHOUT_WORDS = re.compile(r"\s*(?:Error executing tool \w+\s*$|.*Traceback)|\s*$", re.DOTALL)
"""What the SDK says of an exception that is none of ours, or nothing."""
STRANGE = (
    None, True, -1, 1 << 62, 1e308, float("0.1"), "", " ", "\u0000", "x" * 20_000, "../../etc/passwd",
    "'; DROP TABLE evidence; --", "\u202e\u001b[31m", "\U0001f600" * 200, "t:000000000000#1-9",
    "m:0123456789ab", "0001-01-01", "9999-12-31T23:59:59+14:00", [], {}, [None], ["a", 1, {}],
    {"ref": "e:1"}, "(((((((a+)+)+)+)+)+)+$", "SELECT * FROM memories", "*", "user", "</recalled>",
)  # fmt: skip
WORDS = ("order", "export", "charmap", "UnicodeEncodeError", "shop", "pip install", "cache", "why")

TIMES = ("2026-03-02T10:00:00Z", "2026-05-01T00:00:00+02:00")
MEANT = {
    "project": ("shop", "*", ""), "since": TIMES, "until": TIMES, "as_of": TIMES,
    "valid_from": TIMES, "valid_to": TIMES, "supersedes": ("",), "evidence": ([],), "used": ([],),
    "retire": ([],), "text": ("Port 8080 is the exporter's", "orders are cached", "why not"),
}  # fmt: skip
"""What a model writes for these: what it draws at random is refused before anything is done."""


@dataclass(slots=True)
class Tally:
    """What came of the calls of one tool."""

    counts: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    invalid: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def drawn(schema: dict[str, Any], chance: random.Random, refs: list[str]) -> Any:
    """A value that fits a schema, about."""
    chosen = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if chosen:
        return chance.choice(chosen)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return drawn(chance.choice(schema[word]), chance, refs)
    made = {
        "object": lambda: _object(schema, chance, refs),
        "array": lambda: [
            drawn(schema.get("items", {}), chance, refs) for _ in range(chance.randrange(4))
        ],
        "integer": lambda: _whole(schema, chance),
        "number": chance.random,
        "boolean": lambda: chance.random() < 0.5,
        "null": lambda: None,
    }
    return made.get(schema.get("type", ""), lambda: _text(schema, chance, refs))()


def _object(schema: dict[str, Any], chance: random.Random, refs: list[str]) -> dict[str, Any]:
    wanted = schema.get("required", ())
    return {
        name: _meant(name, each, chance, refs)
        for name, each in schema.get("properties", {}).items()
        if name in wanted or chance.random() < 0.4
    }


def _meant(name: str, schema: dict[str, Any], chance: random.Random, refs: list[str]) -> Any:
    """A value that fits a property; mostly one that is meant, where a schema says no more than `string`."""
    if name in MEANT and chance.random() < 0.8:
        return chance.choice(MEANT[name])
    if name == "refs":
        return chance.sample(refs, chance.randint(1, 3))
    return drawn(schema, chance, refs)


def _whole(schema: dict[str, Any], chance: random.Random) -> int:
    low, high = schema.get("minimum", 0), schema.get("maximum", 2_000)
    return chance.randint(low, max(low, high))


def _text(schema: dict[str, Any], chance: random.Random, refs: list[str]) -> str:
    if schema.get("format") == "date-time":
        return "2026-03-02T10:00:00Z"
    if re.search(r"\bref", schema.get("description", "")) or chance.random() < 0.2:
        return chance.choice(refs)
    return " ".join(chance.sample(WORDS, chance.randint(1, 4)))


def spoilt(value: Any, chance: random.Random) -> Any:
    """The arguments with one thing wrong, or several."""
    made = dict(value)
    for _ in range(chance.randint(1, 3)):
        draw = chance.random()
        if draw < 0.2:
            made[chance.choice(("x", "query", "__class__", "project "))] = chance.choice(STRANGE)
        elif draw < 0.35 and made:
            made.pop(chance.choice(sorted(made)))
        elif made:
            made[chance.choice(sorted(made))] = chance.choice(STRANGE)
    return made


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what it refers to put in place."""
    defined = schema.get("$defs", {})

    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return placed(defined[value["$ref"].rpartition("/")[2]])
            return {key: placed(each) for key, each in value.items() if key != "$defs"}
        return [placed(each) for each in value] if isinstance(value, list) else value

    return placed(schema)


async def called(client: Client, tool: Any, arguments: dict[str, Any], tally: Tally) -> None:
    """One call, and what is to be said of its answer."""
    fits = Draft202012Validator(tool.input_schema).is_valid(arguments)
    started = time.perf_counter()
    try:
        with anyio.fail_after(LONGEST_SECONDS):
            result = await client.call_tool(tool.name, arguments)
    except TimeoutError:
        tally.counts["HANGS"] += 1
        return
    except MCPError as error:
        tally.counts["PROTOCOL ERRORS" if fits else "protocol errors of unfit arguments"] += 1
        tally.invalid[f"{error}"[:160]] += fits
        return
    except Exception as error:  # noqa: BLE001 whatever it is, it is counted
        tally.counts["CLIENT REFUSED THE ANSWER"] += 1
        tally.invalid[f"{type(error).__name__}: {error}"[:200]] += 1
        return
    tally.times.append(time.perf_counter() - started)
    if result.is_error:
        told = result.content[0].text if result.content else ""
        plain = not WITHOUT_WORDS.match(told)
        tally.counts["errors that say what to do" if plain else "ERRORS WITHOUT WORDS"] += 1
        tally.refused[re.sub(r"\S*\d\S*", "…", told)[:110]] += 1
        return
    faults = list(Draft202012Validator(tool.output_schema).iter_errors(result.structured_content))
    tally.counts["INVALID ANSWERS" if faults else "valid answers"] += 1
    for fault in faults[:1]:
        tally.invalid[f"{fault.json_path}: {fault.message}"[:200]] += 1


async def over(
    way: AbstractAsyncContextManager[Client], asked: argparse.Namespace, refs: list[str]
) -> bool:
    """All tools, so many calls each; whether nothing was wrong."""
    well = True
    async with way as client:
        for tool in (await client.list_tools()).tools:
            chance, tally = random.Random(tool.name), Tally()
            schema = inlined(tool.input_schema)
            for number in range(asked.count):
                arguments = drawn(schema, chance, refs)
                if tool.name == "delete":
                    arguments |= (
                        {"refs": chance.sample(refs, 2)} if "filter" not in arguments else {}
                    )
                    arguments["mode"] = chance.choice(("preview", "forget", "restore", "preview"))
                made = spoilt(arguments, chance) if number % 2 else arguments
                await called(client, tool, made, tally)
            shown = f"p50 {middle(tally.times)}, p99 {quantile(tally.times, 0.99) * 1e3:.0f} ms"
            print(f"  {tool.name}: {dict(tally.counts)}; {shown}", flush=True)
            for told, times in tally.refused.most_common(asked.show):
                print(f"      refused x{times}: {told}")
            for fault, times in tally.invalid.most_common(5):
                print(f"      x{times}: {fault}")
            well = well and not any(name.isupper() for name in tally.counts)
        await client.list_tools()  # it still answers
    return well


async def filled(home: Path, folder: Path) -> list[str]:
    """A bank with two sessions and a memory, and refs of theirs."""
    project = banks.project(folder)
    paths = []
    for name in ("orders", "invoices"):
        paths.append(folder / f"{name}.jsonl")
        paths[-1].write_text(banks.sample(name, project), "utf-8")
    async with open_bank(Settings(home=home, index_auto=False), cwd=str(project)) as bank:
        await bank.index(paths)
        listed = [each.ref for each in await bank.listing("sessions")]
        return [*listed, *(f"{ref}#1-3" for ref in listed), "m:0123456789ab", "e:0123456789ab.1"]


def resident_and_handles(process: int) -> str:
    place = Path(f"/proc/{process}")
    held = re.search(r"VmRSS:\s+(\d+)", (place / "status").read_text())
    return f"{int(held[1]) >> 10 if held else 0} MB, {len(list((place / 'fd').iterdir()))} handles"


async def run(asked: argparse.Namespace) -> bool:
    well = True
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name), Path(name) / "home"
        refs = await filled(home, folder)
        if asked.transport in {"stdio", "both"}:
            told = StdioServerParameters(
                command=OURS[0],
                args=[*OURS[1:], "serve"],
                env=environment(home),
                cwd=str(folder / "shop"),
            )
            print("stdio")
            well &= await over(Client(stdio_client(told)), asked, refs)
        if asked.transport in {"http", "both"}:
            with listening(home, cwd=folder / "shop", requests_per_minute=0) as server:
                print(f"http; the server: {resident_and_handles(server.process)}")
                http = httpx2.AsyncClient(timeout=LONGEST_SECONDS)
                wire = streamable_http_client(f"{server.url}/mcp", http_client=http)
                well &= await over(Client(wire), asked, refs)
                print(f"  the server afterwards: {resident_and_handles(server.process)}")
                print(f"  it said: {server.said()[-300:] or 'nothing'}")
    return well


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="calls of each tool")
    parser.add_argument("--transport", choices=("stdio", "http", "both"), default="both")
    parser.add_argument("--show", type=int, default=0, help="so many refusals of each tool")
    asked = parser.parse_args()
    print(machine())
    sys.exit(not anyio.run(run, asked))


if __name__ == "__main__":
    main()
