"""Signatures: commands and errors folded so that the same thing met twice has the same name."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

MOST_CHARS = 160
MOST_FLAGS = 6
MOST_PARTS = 8
_PARSED = 4_000
_SCANNED = 20_000

_HEREDOC = re.compile(
    r"<<-?\s*(['\"]?)(\w+)\1([^\n]*)\n.*?(?:^\s*\2\s*$|\Z)", re.MULTILINE | re.DOTALL
)
_EDIT_BODY = re.compile(r"^(edit \d+:\d+)\n.*?(?:^end_of_edit$|\Z)", re.MULTILINE | re.DOTALL)
"""How SWE-agent's line editor is called."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*")
_TOKEN = re.compile(
    r"""(?P<end>&&|\|\||;|\n|\(|\))|(?P<pipe>\|&?)|(?P<redirect>\d?(?:>>?|<)&?\d?-?|&>>?)|&|"""
    r"""(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"|&;<>()\\])+)|[^\S\n]+|.""",
    re.DOTALL,
)
_LETTER = re.compile(r"\w")
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_DURATION = re.compile(r"-\S*|\d+[smhd]?")
_SUBCOMMAND = re.compile(r"[a-z][\w:.-]{0,40}")
_SCRIPT = re.compile(r"(?!-)[^\s(){}$*;]{1,200}")
_FLAG = re.compile(r"--?[A-Za-z][\w-]*")
_FILE = re.compile(
    r"(?:[A-Za-z]:[\\/])?(?:[\w.@+~-]*[\\/][\w.@+~\\/-]*\w\.[A-Za-z]\w{0,9}|[\w-]+\.[A-Za-z]\w{0,3})"
)
_LEADERS = frozenset(
    {"!", "command", "do", "else", "env", "exec", "if", "nohup", "sudo", "then", "time", "until",
     "while", "{"}
)  # fmt: skip
_SILENT = frozenset(
    {".", ":", "[", "[[", "alias", "break", "case", "cd", "continue", "done", "echo", "esac",
     "exit", "export", "false", "fi", "for", "function", "popd", "printf", "pushd", "return",
     "set", "sleep", "source", "test", "true", "unset", "}"}
)  # fmt: skip
"""Shell words that say nothing of what a command line is for."""
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

_REFUSED = re.compile(r"<tool_use_error>\s*([^\n<]+)")
"""A tool that was not called right says so in its first line."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_EXIT_CODE = re.compile(r"\s*(?:Exit code|exit status) -?\d+\s*", re.IGNORECASE)
_RAISED = re.compile(
    r"^(?:E\s{2,})?((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Warning)\b:?.*)$", re.MULTILINE
)
_LABELLED = re.compile(
    r"^.{0,200}?(?<![\w-])(?:error|fatal|panic|failure)(?:[\[(]\w+[\])])?:\s?\S.*$",
    re.MULTILINE | re.IGNORECASE,
)
_FAILED_TEST = re.compile(
    r"^[^\S\n]*(?:--- FAIL: .*|FAIL(?:ED)?[^\S\n]+\S.*|FAIL:.*|not ok \d+.*|[✗✕✘\u00d7]\s.*"
    r"|thread '.*' panicked.*)$",
    re.MULTILINE,
)
_COMPLAINT = re.compile(
    r"^(?!hint:|note:|tip:|warning:|info:)[\w./@-]+: (?:line \d+: )?[^\n]{3,}$", re.MULTILINE
)
_LOCATED = re.compile(r"^[^\s:]{1,200}:\d+(?::\d+)?:[^\S\n]+[^\n]{3,}$", re.MULTILINE)
"""How compilers and linters say where: `file:line:column: message`."""
_LOUD = re.compile(r"^[^\n]{0,80}?(?<![\w-])(?:ERROR|FATAL|PANIC) [^\n]{3,}$", re.MULTILINE)
MOST_ERRORS = 6
_SHORT = 3
"""An output of so few lines says first what is wrong; a longer one says it last."""
_FOLDED = (
    (re.compile(r"0x[0-9a-fA-F]+"), "<address>"),
    (re.compile(r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])"), "<id>"),
    (re.compile(r"(?<!\w)(?=[0-9a-f]*\d)[0-9a-f]{7,64}(?!\w)"), "<hex>"),
    (
        re.compile(
            r"(?<![\w.@+…-])(?:[A-Za-z]:[\\/]|~?[\\/])(?:[\w.@+-]{1,200}[\\/])*(?=[\w.@+-])"
        ),
        "…/",
    ),
    (re.compile(r"(?<![\w…/])[\w.@+-]{1,200}[\\/](?:[\w.@+-]{1,200}[\\/])+(?=[\w.@+-])"), "…/"),
    (re.compile(r"\d+(?:\.\d+)*"), "N"),
)


class _Part(NamedTuple):
    """A program with its words; `piped` when it only reads what another one wrote."""

    words: tuple[str, ...]
    piped: bool


def commands(text: str) -> tuple[str, ...]:
    """Each program of a command line with its subcommand and flag names; values folded.

    Shell grammar, directory changes, what is piped into and here-documents are left out.
    """
    found = (_folded(part.words) for part in _parts(text) if not part.piped)
    return tuple(dict.fromkeys(found))[:MOST_PARTS]


def files(text: str) -> tuple[str, ...]:
    """Words of a command line that are spelled like files: a name with an extension."""
    words = (word for part in _parts(text) for word in part.words[1:])
    return tuple(dict.fromkeys(word for word in words if _FILE.fullmatch(word)))


def error(text: str) -> str:
    """The line that names the error, with numbers, hashes and folders folded; empty for no text.

    Most telling first: an exception that was raised, a line labelled `error:`, a failed test,
    a program's `name: complaint`; else the first line of a short output, the last of a long one.
    """
    scanned = text if len(text) <= 2 * _SCANNED else f"{text[:_SCANNED]}\n{text[-_SCANNED:]}"
    refused = _REFUSED.search(scanned)
    if refused:
        return fold(refused[1])
    scanned = _COLOUR.sub("", scanned).replace("\r", "\n")
    raised = _RAISED.findall(scanned)
    if raised:
        return fold(raised[-1])
    for pattern in (_LABELLED, _FAILED_TEST, _COMPLAINT):
        seen = pattern.search(scanned)
        if seen:
            return fold(seen.group())
    lines = [line for line in scanned.splitlines() if line.strip()]
    told = [line for line in lines if not _EXIT_CODE.fullmatch(line)] or lines
    return fold(told[0 if len(told) <= _SHORT else -1]) if told else ""


def errors(text: str) -> tuple[str, ...]:
    """The error, and a few further lines of the same output that name one; each folded, once."""
    first = error(text)
    found = ((first,) if first else ()) + named_errors(text)
    return tuple(dict.fromkeys(found))[:MOST_ERRORS]


def named_errors(text: str) -> tuple[str, ...]:
    """Lines that have the shape of an error, whatever stands around them; each folded, once."""
    scanned = _COLOUR.sub("", text[:_SCANNED]).replace("\r", "\n")
    found: dict[str, None] = {}
    for pattern in (_LOCATED, _LABELLED, _FAILED_TEST, _LOUD, _RAISED):
        named = islice(pattern.finditer(scanned), MOST_ERRORS)
        found |= dict.fromkeys(fold(seen.group()) for seen in named)
    return tuple(found)[:MOST_ERRORS]


def fold(text: str) -> str:
    """Numbers, addresses, hashes and folders replaced by what they are; names stay to be found."""
    line = " ".join(text[: MOST_CHARS * 4].split())
    for pattern, name in _FOLDED:
        line = pattern.sub(name, line)
    return line[:MOST_CHARS].rstrip()


@lru_cache(maxsize=512)
def _parts(text: str) -> tuple[_Part, ...]:
    """The programs that a command line runs, in order."""
    plain = _EDIT_BODY.sub(r"\1\n", _HEREDOC.sub(r" \3\n", text[:_PARSED])).replace("\\\n", " ")
    found: list[_Part] = []
    words: list[str] = []
    piped = aside = False
    for token in _TOKEN.finditer(_COMMENT.sub("", plain) + "\n"):
        if token["end"] or token["pipe"]:
            named = _named(words)
            if named:
                found.append(_Part(named, piped))
            # What only prints into a pipe does not count as its first program.
            piped = bool(token["pipe"]) and (piped or bool(named))
            words, aside = [], False
        elif token["redirect"]:
            aside = not token["redirect"][-1].isdigit()
        elif token["word"]:
            if not aside:
                words.append(_unquoted(token["word"]))
            aside = False
    return tuple(found)


def _named(words: Sequence[str]) -> tuple[str, ...]:
    """The words from the program on; none where the shell only keeps house."""
    place = 0
    while place < len(words) and (words[place] in _LEADERS or _ASSIGNMENT.fullmatch(words[place])):
        place += 1
    if place < len(words) and words[place] == "timeout":
        place += 1
        while place < len(words) and _DURATION.fullmatch(words[place]):
            place += 1
    rest = tuple(words[place:])
    return rest if rest and rest[0] not in _SILENT and _LETTER.search(rest[0]) else ()


def _folded(words: Sequence[str]) -> str:
    program = _last(words[0])
    kept, flags, depth = [program], set[str](), int(program in _NESTED)
    rest = iter(words[1:])
    for word in rest:
        if word in _VALUED and (depth or program in _INTERPRETERS) and len(kept) == 1:
            value = next(rest, "")
            if word == "-m" and program in _INTERPRETERS:
                kept += ["-m", value]
        elif depth and _SUBCOMMAND.fullmatch(word):
            kept.append(word)
            depth = 1 if word in _DEEPER and len(kept) == 2 else 0  # noqa: PLR2004 - program and one word
        elif program in _INTERPRETERS and len(kept) == 1 and _SCRIPT.fullmatch(word):
            kept.append(_last(word))
        elif flag := _FLAG.match(word):
            flags.add(flag.group())
    return " ".join(" ".join(kept).split())[:80] + "".join(
        f" {flag}" for flag in sorted(flags)[:MOST_FLAGS]
    )


def _last(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        return word[1:-1]
    return word
