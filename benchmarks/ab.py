"""An agent with one condition only (raw transcripts, archive or tools): right answers, bytes, calls.

An agent (a model in a host, or a person) is given one door and nothing else, one question at a time:

    ab.py shell ROOT LOG QUESTION 'rg -n ... | head'      the raw transcripts or the archive
    ab.py tool URL LOG QUESTION search '{"query": "…"}'   a running `mcp-memory serve --transport http`
    ab.py answer LOG QUESTION 'its answer'                ends the question
    ab.py table QUESTIONS.jsonl NAME=LOG…                 right, bytes and calls a question, side by side

What a call prints is what a host would show its model: a shell's output is cut at 30,000 characters
(Claude Code's limit), a tool's answer is its structured content as compact JSON. An answer is right
where one of the question's `accept` patterns stands in it.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

from apparatus import tables
from mcp import Client

SHOWN_CHARS = 30_000
COMMAND_SECONDS = 120


def note(log: Path, question: str, **told: object) -> None:
    """One line of what an agent did."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"question": question, **told}) + "\n")


def shell(root: Path, log: Path, question: str, command: str) -> None:
    """A command line in the folder of the condition."""
    try:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=root,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        printed = (done.stdout + done.stderr).decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        printed = f"timed out after {COMMAND_SECONDS} s"
    shown = printed[:SHOWN_CHARS]
    note(log, question, command=command, bytes=len(shown.encode()))
    print(shown)


async def tool(url: str, log: Path, question: str, name: str, arguments: dict[str, Any]) -> None:
    """A tool's answer as a host shows it."""
    async with Client(url) as client:
        result = await client.call_tool(name, arguments)
    if result.structured_content is not None and not result.is_error:
        shown = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    else:
        shown = "\n".join(getattr(part, "text", "") for part in result.content)
    note(log, question, command=f"{name} {json.dumps(arguments)}", bytes=len(shown.encode()))
    print(shown)


def table(questions: Path, logs: dict[str, Path]) -> None:
    """Right, bytes and calls a question, for the questions that every condition was asked."""
    asked = {q["id"]: q for q in map(json.loads, questions.read_text("utf-8").splitlines())}
    told = {name: by_question(log) for name, log in logs.items()}
    shared = sorted(set(asked).intersection(*(set(each) for each in told.values())))
    tables.begin("condition", "right", "bytes a question", "median", "calls a question")
    for name, each in told.items():
        calls = [[line for line in each[q] if "bytes" in line] for q in shared]
        right = [q for q in shared if is_right(asked[q]["accept"], each[q])]
        sizes = [sum(line["bytes"] for line in one) for one in calls]
        tables.line(
            name,
            f"{len(right)} of {len(shared)}",
            f"{statistics.mean(sizes):,.0f}",
            f"{statistics.median(sizes):,.0f}",
            f"{statistics.mean(map(len, calls)):.2f}",
        )
        print(f"  not right: {', '.join(q for q in shared if q not in right)}")


def by_question(log: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of a log, by question; a question without an answer does not count."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in map(json.loads, log.read_text("utf-8").splitlines()):
        lines[line["question"]].append(line)
    return {q: each for q, each in lines.items() if any("answer" in line for line in each)}


def is_right(accept: list[str], lines: list[dict[str, Any]]) -> bool:
    """Whether the last answer holds what was asked for."""
    answer = next(line["answer"] for line in reversed(lines) if "answer" in line)
    return any(re.search(pattern, answer, re.IGNORECASE | re.DOTALL) for pattern in accept)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    doors = parser.add_subparsers(dest="door", required=True)
    for name, arguments in {
        "shell": ("root", "log", "question", "command"),
        "tool": ("url", "log", "question", "name", "arguments"),
        "answer": ("log", "question", "answer"),
    }.items():
        door = doors.add_parser(name)
        for argument in arguments:
            door.add_argument(argument)
    drawn = doors.add_parser("table")
    drawn.add_argument("questions", type=Path)
    drawn.add_argument("logs", nargs="+", metavar="NAME=LOG")
    told = parser.parse_args()
    match told.door:
        case "shell":
            shell(Path(told.root), Path(told.log), told.question, told.command)
        case "tool":
            arguments = json.loads(told.arguments)
            asyncio.run(tool(told.url, Path(told.log), told.question, told.name, arguments))
        case "answer":
            note(Path(told.log), told.question, answer=told.answer)
        case "table":
            pairs = (each.partition("=") for each in told.logs)
            table(told.questions, {name: Path(log) for name, _, log in pairs})


if __name__ == "__main__":
    main()
