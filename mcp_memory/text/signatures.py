"""Signatures: commands and errors folded so that the same thing met twice has the same name."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mcp_memory.text import causes, families, shell
from mcp_memory.text.shell import Program

MOST_CHARS = 160
MOST_FLAGS = 6
MOST_PARTS = 8
MOST_ERRORS = 6
_TYPED = 400

_SUBCOMMAND = re.compile(r"[a-z][\w:.-]{0,40}")
_PROGRAM = re.compile(r"[\w./@+~-][\w./@+~\\: -]*")
_ARGUMENT = re.compile(r"(?!-)[^\s(){}$*;]{1,200}")
_FLAG = re.compile(r"--?[A-Za-z][\w-]*")
_FILE = re.compile(
    r"(?:[A-Za-z]:[\\/])?(?:[\w.@+~-]*[\\/][\w.@+~\\/-]*\w\.[A-Za-z]\w{0,9}|[\w-]+\.[A-Za-z]\w{0,3})"
)
_NESTED = frozenset(
    {"apt", "apt-get", "aws", "az", "brew", "bun", "bundle", "cargo", "composer", "conda", "dart",
     "deno", "docker", "dotnet", "flutter", "gcloud", "gh", "git", "go", "gradle", "helm", "just",
     "kubectl", "make", "mise", "mix", "mvn", "npm", "nx", "pdm", "pip", "pip3", "pnpm", "poetry",
     "rails", "rake", "rustup", "sbt", "svn", "swift", "systemctl", "task", "terraform", "uv",
     "yarn"}
)  # fmt: skip
"""Programs whose next word is a subcommand or a target."""
_DEEPER = frozenset(
    {"compose", "exec", "issue", "mod", "pr", "release", "remote", "repo", "run", "stash",
     "submodule", "tool", "workflow", "worktree"}
)  # fmt: skip
"""Subcommands that are followed by another one."""
_INTERPRETERS = frozenset(
    {"bash", "bunx", "deno", "node", "npx", "perl", "php", "python", "python3", "ruby", "sh",
     "uvx", "zsh"}
)  # fmt: skip
_VALUED = frozenset({"-C", "-c", "-m", "--cwd", "--filter", "--prefix"})
"""Flags whose value stands before the subcommand."""

_TIME = r"(?:ns|µs|us|ms|s|m|h|sec(?:onds)?|min(?:utes)?|[KMG]i?B)"
_FOLDED = (
    (re.compile(r"0x[0-9a-fA-F]+"), "<address>"),
    (re.compile(r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])"), "<id>"),
    (re.compile(r"(?<!\w)(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}(?!\w)"), "<hex>"),
    (re.compile(r"(?<=[/\\])(?i:tmp|temp)[._-]?(?=[a-z_]*[\dA-Z])\w{5,}"), "<temp>"),
    (
        re.compile(
            r"(?<![\w.@+…-])(?:[A-Za-z]:[\\/]|~?[\\/])(?:[\w.@+-]{1,200}[\\/])*(?=[\w.@+-])"
        ),
        "…/",
    ),
    (re.compile(r"(?<![\w…/])[\w.@+-]{1,200}[\\/](?:[\w.@+-]{1,200}[\\/])+(?=[\w.@+-])"), "…/"),
    (re.compile(rf"(?<![\w.-])\d+(?:\.\d+)?{_TIME}(?:\d+(?:\.\d+)?{_TIME})*(?!\w)"), "<much>"),
    # The number of a status or a rule is a name; one that stands alone counts something.
    (
        re.compile(
            r"(?i)(?<!\bhttp )(?<!\bstatus )(?<!\bcode )(?<!\berror )(?<!\bERR! )(?<![\w.-])"
            r"\d+(?![\w.-]*[A-Za-z_])(?:[.,:-]\d+)*"
        ),
        "N",
    ),
)  # fmt: skip


class Ran(NamedTuple):
    """A program that a command line ran: its family, and the line that ran it as it was typed."""

    family: str
    line: str
    """With its folder and environment: `cd web && CI=true pnpm install`."""
    acts: bool
    """Whether it judges or acts, and does not only look."""


def commands(text: str) -> tuple[str, ...]:
    """Each program of a command line with its subcommand and flag names; values folded.

    Shell grammar, directory changes, what is piped into and here-documents are left out.
    """
    return tuple(dict.fromkeys(ran.family for ran in runs(text)))


def heads(folded: Iterable[str]) -> tuple[str, ...]:
    """Folded commands without their flags: `go test -run` is `go test`."""
    return tuple(" ".join(w for w in one.split() if not w.startswith("-")) for one in folded)


def runs(text: str) -> tuple[Ran, ...]:
    """The families of a command line, each with its part of the line as it was typed."""
    made = {_folded(one): one for one in _own(shell.programs(text))}
    return tuple(
        Ran(family, _line(one), families.purpose(one) != "looks")
        for family, one in list(made.items())[:MOST_PARTS]
    )


def files(text: str) -> tuple[str, ...]:
    """Words of a command line that are spelled like files: a name with an extension."""
    named = (
        shell.resolved(one.folder, word)
        for one in shell.programs(text)
        if not families.is_silent(one)
        for word in one.words[1:]
        if _FILE.fullmatch(word)
    )
    return tuple(dict.fromkeys(named))


def error(text: str, command: str = "") -> str:
    """The line that names the cause of a failure, folded; empty where none does."""
    return next(iter(errors(text, command)), "")


def errors(text: str, command: str = "") -> tuple[str, ...]:
    """The causes that an output names, most telling first, each folded, once.

    Of a `command` that only looks, what it found is no error: only its own complaints are.
    """
    return tuple(dict.fromkeys(filter(None, map(fold, causes.causes(text, command)))))[:MOST_ERRORS]


def named_errors(text: str) -> tuple[str, ...]:
    """Lines that have the shape of an error, whatever stands around them; each folded, once."""
    return tuple(dict.fromkeys(filter(None, map(fold, causes.named(text)))))[:MOST_ERRORS]


def fold(text: str) -> str:
    """Lone numbers, times, addresses, hashes and folders replaced; names stay, with their digits."""
    line = " ".join(text[: MOST_CHARS * 4].split())
    for pattern, name in _FOLDED:
        line = pattern.sub(name, line)
    return line[:MOST_CHARS].rstrip()


def _own(found: tuple[Program, ...]) -> Iterator[Program]:
    """The programs that say what a line is for: none that only reads what another one wrote."""
    piped = False
    for place, one in enumerate(found):
        # What only prints into a pipe does not count as its first program.
        piped = one.joined == "|" and (piped or not families.is_silent(found[place - 1]))
        if not piped and not families.is_silent(one) and _PROGRAM.fullmatch(one.words[0]):
            yield one


def _line(one: Program) -> str:
    known = set(one.assignments)
    exported = [f"export {word} &&" for word in one.exported if word not in known]
    folder = [f"cd {one.folder} &&"] if one.folder else []
    return " ".join((*folder, *exported, one.typed))[:_TYPED]


def _folded(one: Program) -> str:
    kept, flags, depth = [one.name], set[str](), int(one.name in _NESTED)
    rest = iter(one.words[1:])
    for word in rest:
        if word in _VALUED and (depth or one.name in _INTERPRETERS) and len(kept) == 1:
            value = next(rest, "")
            if word == "-m" and one.name in _INTERPRETERS:
                kept += ["-m", value]
        elif depth and _SUBCOMMAND.fullmatch(word):
            kept.append(word)
            depth = 1 if word in _DEEPER and len(kept) == 2 else 0  # noqa: PLR2004 - program and one word
        elif one.name in _INTERPRETERS and len(kept) == 1 and _ARGUMENT.fullmatch(word):
            kept.append(re.split(r"[\\/]", word.rstrip("\\/"))[-1])
        elif flag := _FLAG.match(word):
            flags.add(flag.group())
    return " ".join(" ".join(kept).split())[:80] + "".join(
        f" {flag}" for flag in sorted(flags)[:MOST_FLAGS]
    )
