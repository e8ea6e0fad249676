"""Shell: a command line read as the programs that it runs, each with what stands around it."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

PARSED = 20_000
"""So much of a command line is read."""
_DEPTH = 3
"""How deep `bash -c "…"` is followed."""
_DOCUMENT = re.compile(
    r"(?<!<)<<(?!<)-?[^\S\n]*(['\"]?)(\w+)\1(?P<rest>[^\n]*)\n(?P<body>.*?)(?P<end>^[^\S\n]*\2[^\S\n]*$)",
    re.MULTILINE | re.DOTALL,
)
_OPENS = re.compile(r"(?<!<)<<(?!<)-?[^\S\n]*(['\"]?)\w+\1")
_EDITING = re.compile(r"^(edit \d+:\d+)\n.*?(?:^end_of_edit$|\Z)", re.MULTILINE | re.DOTALL)
"""How SWE-agent's line editor is called."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*")
_TOKEN = re.compile(
    r"""(?P<end>&&|\|\||;;?|\n|\(|\))|(?P<pipe>\|&?)|(?P<redirect>\d?(?:<<<|<<-?|>>?\|?|<)&?\d?-?|&>>?)"""
    r"""|(?P<aside>&)|(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\((?:[^()]|\([^()]*\))*\)"""
    r"""|[^\s'"|&;<>()\\])+)"""
    r"""|(?P<open>['"])|[^\S\n]+|.""",
    re.DOTALL,
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
_DURATION = re.compile(r"-\S*|\d+(?:\.\d+)?[smhd]?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LEADERS = frozenset(
    {"!", "builtin", "command", "do", "elif", "else", "env", "exec", "if", "nice", "nohup", "sudo",
     "then", "time", "until", "while", "xvfb-run", "{"}
)  # fmt: skip
"""Words before the program that is really run."""
_SHELLS = frozenset({"bash", "dash", "ksh", "sh", "zsh"})
_SCRIPT = re.compile(r"-[a-z]*c")


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """One program of a command line, the shell's own words and what leads it in taken off."""

    words: tuple[str, ...]
    """Name and arguments, without quotes."""
    joined: str = ""
    """What stands between it and the one before: `&&`, `||`, `;`, `|`, `&` or nothing."""
    assignments: tuple[str, ...] = ()
    writes: tuple[tuple[str, str], ...] = ()
    """Files that its output goes to, each with `>` or `>>`."""
    document: str = ""
    """The here-document that it reads."""
    typed: str = ""
    """As it was written, of its here-document the first line."""
    folder: str = ""
    """Where earlier `cd`s of the line left the shell; empty for where it began."""
    exported: tuple[str, ...] = ()
    """What the line put in its environment before."""
    aside: bool = field(default=False)
    """Whether it is left to run in the background."""

    @property
    def name(self) -> str:
        """The program without its folder; empty where only variables are set."""
        last = self.words[0].replace("\\", "/").rstrip("/").rpartition("/")[2] if self.words else ""
        return last.removesuffix(".exe")


@lru_cache(maxsize=1024)
def programs(text: str) -> tuple[Program, ...]:
    """The programs that a command line runs, in order; scripts given to `bash -c` among them."""
    return tuple(_placed(_read(text[:PARSED], whole=len(text) <= PARSED), _DEPTH))


def resolved(folder: str, path: str) -> str:
    """A path as it is named from where a command line began."""
    if not folder or path.startswith(("/", "~", "$")) or path[1:3] in (":\\", ":/"):
        return path
    return posixpath.normpath(posixpath.join(folder, path))


def covered(found: Sequence[Program], *, pipefail: bool = False) -> tuple[Program, ...]:
    """The programs that the exit code of a line speaks for, last first.

    Of `a; b && c | d` it speaks for b and d: a pipe and a semicolon hide what stands before them,
    and of `a || b` nobody knows which one it was.
    """
    if not found or found[-1].aside:
        return ()
    made: list[Program] = []
    piped = False
    for one in reversed(found):
        if not piped or pipefail:
            made.append(one)
        if one.joined == "||":
            return ()
        if one.joined not in ("&&", "|", ""):
            break
        piped = one.joined == "|"
    return tuple(made)


def pipes_fail(found: Sequence[Program]) -> bool:
    """Whether the line asked for a pipe to fail with any of its programs."""
    return any(one.name == "set" and "pipefail" in one.words for one in found)


def _placed(found: Iterator[Program], depth: int) -> Iterator[Program]:
    """Programs with the folder that they run in; inner scripts read in their place."""
    folder, exported = "", tuple[str, ...]()
    for bare in found:
        one = replace(bare, folder=folder, exported=exported)
        if one.name in ("cd", "pushd") and len(one.words) > 1:
            folder = resolved(folder, one.words[-1])
        elif one.name == "export":
            exported += tuple(word for word in one.words[1:] if _ASSIGNMENT.fullmatch(word))
        script = _script(one) if depth else ""
        if not script:
            yield one
            continue
        for place, inner in enumerate(_placed(_read(script, whole=True), depth - 1)):
            where = resolved(folder, inner.folder) if inner.folder else folder
            yield replace(inner, folder=where, joined=inner.joined if place else one.joined)


def _script(one: Program) -> str:
    """What a shell is given to run as text."""
    if one.name not in _SHELLS:
        return ""
    for flag, text in zip(one.words[1:], one.words[2:], strict=False):
        if _SCRIPT.fullmatch(flag):
            return text
        if not flag.startswith("-"):
            break
    return ""


def _read(text: str, *, whole: bool) -> Iterator[Program]:
    plain, documents = _undocumented(text, whole=whole)
    state = _Reading()
    for token in _TOKEN.finditer(plain + "\n"):
        if token["open"]:
            # A quote that nothing closes: the rest is its text, not further programs.
            break
        if token["end"] or token["pipe"] or token["aside"]:
            made = state.program(plain, token.start(), documents)
            if made is not None:
                yield replace(made, aside=bool(token["aside"]))
            state.turn(token[0], token.end())
        elif token["redirect"]:
            state.redirect(token["redirect"])
        elif token["word"]:
            state.word(token["word"])
    made = state.program(plain, len(plain), documents)
    if made is not None:
        yield made


class _Reading:
    """What was read of the program that is not over yet."""

    def __init__(self) -> None:
        self._joined, self._start = "", 0
        self._words: list[str] = []
        self._writes: list[tuple[str, str]] = []
        self._redirect = ""

    def word(self, written: str) -> None:
        if not self._redirect:
            self._words.append(unquoted(written))
        elif ">" in self._redirect and not self._redirect.startswith("2"):
            way = ">>" if ">>" in self._redirect else ">"
            self._writes.append((way, unquoted(written)))
        self._redirect = ""

    def redirect(self, sign: str) -> None:
        self._redirect = "" if sign[-1] in "0123456789-" and "&" in sign else sign

    def turn(self, sign: str, place: int) -> None:
        """A new program begins; where none stood before, what joined that one still holds."""
        kind = ";" if sign in ("\n", "(", ")", ";;", ";") else "|" if sign == "|&" else sign
        if self._words or self._writes or kind != ";":
            self._joined = kind
        self._start, self._words, self._writes, self._redirect = place, [], [], ""

    def program(self, plain: str, end: int, documents: Sequence[tuple[int, str]]) -> Program | None:
        led = _led(self._words)
        if not led and not self._writes:
            return None
        assignments, rest = _parted(led)
        document = next((body for at, body in documents if self._start <= at < end), "")
        return Program(
            words=rest,
            joined=self._joined,
            assignments=assignments,
            writes=tuple(self._writes),
            document=document,
            typed=" ".join(_with_first_line(plain[self._start : end], document).split()),
        )


def _with_first_line(typed: str, document: str) -> str:
    """A here-document is told by its first line."""
    first = next((line.strip() for line in document.splitlines() if line.strip()), "")
    return _OPENS.sub(lambda seen: f"{seen[0]} {first} …", typed, count=1) if first else typed


def _led(words: Sequence[str]) -> tuple[str, ...]:
    """The words without those that only lead in, `FOO=1 timeout 60 pytest` to `FOO=1 pytest`."""
    kept: list[str] = []
    rest = list(words)
    while rest:
        if _ASSIGNMENT.fullmatch(rest[0]):
            kept.append(rest.pop(0))
        elif rest[0] in _LEADERS:
            rest.pop(0)
        elif rest[0] in ("timeout", "gtimeout") and len(rest) > 1:
            rest.pop(0)
            while rest and _DURATION.fullmatch(rest[0]):
                rest.pop(0)
        else:
            break
    return (*kept, *rest)


def _parted(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    place = 0
    while place < len(words) and _ASSIGNMENT.fullmatch(words[place]):
        place += 1
    return tuple(words[:place]), tuple(words[place:])


def _undocumented(text: str, *, whole: bool) -> tuple[str, list[tuple[int, str]]]:
    """The text with here-documents and comments blanked, and each document with its place."""
    documents: list[tuple[int, str]] = []

    def blank(seen: re.Match[str]) -> str:
        documents.append((seen.start(), seen["body"]))
        kept = text[seen.start() : seen.end("rest")]
        return kept + "\n" + " " * (seen.end() - seen.end("rest") - 1)

    plain = _DOCUMENT.sub(blank, text)
    if not whole and "<<" in text:
        plain = _cut_off(plain, documents)
    plain = _EDITING.sub(lambda seen: seen[1] + " " * (len(seen[0]) - len(seen[1])), plain)
    plain = _COMMENT.sub(lambda seen: " " * len(seen[0]), plain).replace("\\\n", "  ")
    return plain, documents


def _cut_off(plain: str, documents: list[tuple[int, str]]) -> str:
    """A document whose end lies beyond what is read takes all that follows."""
    known = {at for at, _ in documents}
    for seen in re.finditer(r"(?<!<)<<(?!<)-?[^\S\n]*['\"]?\w+['\"]?[^\n]*\n", plain):
        if seen.start() not in known:
            documents.append((seen.start(), plain[seen.end() :]))
            return plain[: seen.end()]
    return plain


def unquoted(word: str) -> str:
    """A word of a command line without the quotes round it or in it."""
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" and word[0] not in word[1:-1]:
        return word[1:-1]
    if "'" not in word and '"' not in word:
        return (
            _ESCAPED.sub(r"\1", word)
            if "\\" in word and not re.match(r"[A-Za-z]:\\", word)
            else word
        )
    parts = re.findall(r"'([^']*)'|\"((?:\\.|[^\"\\])*)\"|([^'\"]+)", word, re.DOTALL)
    return "".join(single or _ESCAPED.sub(r"\1", double) or bare for single, double, bare in parts)
