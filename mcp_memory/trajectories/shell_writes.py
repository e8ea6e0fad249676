"""Shell writes: the files that a command line writes, moves, removes, or lets a generator make."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from mcp_memory.text import families, shell
from mcp_memory.text.shell import Program

_MOST = 60
_PRINTED = 8_000
_FILE = re.compile(
    r"[^\s*?$`{}<>|;&()\[\]\"']*[\w-]\.[A-Za-z]\w{0,15}|(?:[\w.@+~-]*/)*(?:Makefile|Dockerfile|\.\w[\w.-]*)"
)
_PLAIN = re.compile(r"[^\s*?$`{}<>|;&()\"']+")
_TEMPORARY = re.compile(r"(?:/private)?/(?:tmp|var/folders|dev)(?:/|$)")

_HEADER = re.compile(
    r"\*\*\* (?:(?P<way>Add|Update|Delete) File: (?P<path>.+)|Move to: (?P<to>.+)|End Patch.*)"
)
_UNIFIED = re.compile(r"^(?:---|\+\+\+) (?:[ab]/)?(?P<path>[^\t\n]+)", re.MULTILINE)
_SUBSTITUTION = re.compile(
    r"(?:^|;\s*|\d\s*)s(?P<d>[/|#,@!])(?P<old>(?:\\.|(?!(?P=d)).)*)(?P=d)(?P<new>(?:\\.|(?!(?P=d)).)*)(?P=d)"
)
_PUT = re.compile(r"^(?:\d+|\$|/[^/]+/)(?:,(?:\d+|\$))?[aic]\\?\s*(?P<new>\S.*)", re.DOTALL)
_TAKEN = re.compile(r"^/(?P<old>(?:\\.|[^/])+)/d$")
_IN_PLACE = re.compile(r"-[a-zA-Z]*i(?:\.?\w*)?|--in-place(?:=.*)?")
_FORMATTERS = {
    "gofmt": {"-w"}, "goimports": {"-w"}, "gofumpt": {"-w"}, "prettier": {"--write", "-w"},
    "black": set[str](), "isort": set[str](), "rustfmt": set[str](), "autopep8": {"-i", "--in-place"},
    "clang-format": {"-i"}, "eslint": {"--fix"}, "shfmt": {"-w"}, "dos2unix": set[str](),
}  # fmt: skip
"""Programs that write the files that they are given, with the flags that make them."""
_PRINTERS = frozenset({"cat", "echo", "printf", "tee"})
_OPENED = re.compile(
    r"(?:open|Path|writeFileSync|writeFile|appendFileSync)\(\s*[rf]?(?:['\"](?P<path>[^'\"\n]{1,300})['\"]|(?P<name>[A-Za-z_]\w*))"
    r"(?P<mode>\s*,\s*(?:mode\s*=\s*)?['\"][wax]b?\+?['\"])?"
)
_NAMED = re.compile(
    r"^\s*(?P<name>[A-Za-z_]\w*)\s*=\s*(?:(?:pathlib\.)?Path\(\s*)?[rf]?['\"](?P<path>[^'\"\n]{1,300})['\"]",
    re.MULTILINE,
)
_WRITES = re.compile(
    r"\.write_(?:text|bytes)\(|writeFile(?:Sync)?\(|\bopen\([^)\n]*['\"][wax]b?\+?['\"]|\.writelines\(|File\.write\("
)
_REPLACED = re.compile(
    r"\.replace\(\s*(?P<q>'''|\"\"\"|'|\")(?P<old>.*?)(?<!\\)(?P=q)\s*,\s*(?P<r>'''|\"\"\"|'|\")(?P<new>.*?)(?<!\\)(?P=r)\s*[,)]",
    re.DOTALL,
)
_BODY = re.compile(r"(?P<q>'''|\"\"\")(?P<text>.*?)(?P=q)", re.DOTALL)

_CREATED = re.compile(
    r"^ create mode \d+ (?P<git>\S.*)$"
    r"|^\s*(?:\S{1,3}\s+)?(?:\[\S+\]\s+)?(?:create[ds]?|creating|generat(?:ed?|ing)|wrote|writ(?:e|ing)|saved|scaffolded)\b"
    r"[^\n]{0,80}?(?<![\w./-])(?P<path>(?:[\w.@+~-]*/)*[\w.@+-]*\w\.[A-Za-z]\w{0,9})(?=[\s'\"`),:;]|\.?$|\.\.\.)"
    r"|^[^\n]{0,80}?[➜→] +(?P<arrow>(?:[\w.@+~-]*/)+[\w.@+-]*\w\.[A-Za-z]\w{0,9})\b"
    r"|^\s{2,}(?P<django>(?:[\w.-]+/)*migrations/\d{4}_\w+\.py)$",
    re.MULTILINE | re.IGNORECASE,
)
"""How generators, and git at a commit, name the files that they made."""
_GENERATES = re.compile(
    r"migrat|generat|scaffold|revision|\bgit\b"
    r"|\b(?:new|init|create|add|make\w*|codegen|export|dump|build|commit|g)\b",
    re.IGNORECASE,
)

Kind = Literal["write", "append", "change", "delete", "move", "restore", "make"]


class Write(NamedTuple):
    """One file that a command line wrote."""

    path: str
    kind: Kind
    old: str = ""
    new: str = ""
    late: bool = False
    """Whether it stands after something that may have failed before it."""
    told: bool = True
    """False where only the output names it."""


def writes(command: str, printed: str = "") -> Iterator[Write]:
    """The files that a command line writes, in order; `printed` is what it said if it went well."""
    seen = 0
    for place, one in enumerate(shell.programs(command)):
        for made in _by_program(one):
            if seen >= _MOST:
                return
            seen += 1
            path = shell.resolved(one.folder, made.path)
            if "$" in path:
                continue
            new = shell.resolved(one.folder, made.new) if made.kind == "move" else made.new
            yield made._replace(path=path, new=new, late=place > 0 and one.joined == "&&")
    if printed and _GENERATES.search(command[:2_000]):
        yield from _made(shell.programs(command), printed[:_PRINTED])


def is_patch(text: str) -> bool:
    """Whether a text is a patch: of the `*** Begin Patch` kind, or a unified one."""
    return "*** Begin Patch" in text or bool(re.search(r"^--- .*\n\+\+\+ ", text, re.MULTILINE))


def patched(text: str) -> Iterator[Write]:
    """The hunks of a patch, each as what it takes out and puts in."""
    if "*** Begin Patch" in text:
        yield from _begun(text)
    else:
        yield from _unified(text)


def _begun(text: str) -> Iterator[Write]:
    path, kind, hunk = "", "change", _Hunk()
    for line in text[text.index("*** Begin Patch") :].splitlines()[1:]:
        header = _HEADER.fullmatch(line.rstrip())
        if header is None and not line.startswith("@@"):
            hunk.add(line)
            continue
        yield from hunk.out(path, kind)
        if header is None:
            continue
        if header["to"]:
            yield Write(path, "move", new=header["to"].strip())
            path = header["to"].strip()
        elif header["path"]:
            path = header["path"].strip()
            kind = {"Add": "write", "Delete": "delete"}.get(header["way"], "change")
            if kind == "delete":
                yield Write(path, "delete")
        else:
            return
    yield from hunk.out(path, kind)


def _unified(text: str) -> Iterator[Write]:
    path, gone, hunk = "", "", _Hunk()
    for line in text.splitlines():
        if line.startswith("--- "):
            yield from hunk.out(path, "change")
            gone = _name(line)
        elif line.startswith("+++ "):
            path = _name(line)
            if path == "/dev/null":
                path = ""
                yield Write(gone, "delete")
        elif line.startswith("@@"):
            yield from hunk.out(path, "change")
        elif not line.startswith(("diff --git", "index ")):
            hunk.add(line)
    yield from hunk.out(path, "change")


class _Hunk:
    """Lines taken out and put in until the next header."""

    def __init__(self) -> None:
        self._old, self._new = list[str](), list[str]()

    def add(self, line: str) -> None:
        if line.startswith("-"):
            self._old.append(line[1:])
        elif line.startswith("+"):
            self._new.append(line[1:])

    def out(self, path: str, kind: str) -> Iterator[Write]:
        if path and (self._old or self._new):
            way: Kind = "write" if kind == "write" else "change"
            yield Write(path, way, "\n".join(self._old), "\n".join(self._new))
        self._old, self._new = [], []


def _name(line: str) -> str:
    seen = _UNIFIED.match(line)
    return seen["path"].strip() if seen else ""


def _by_program(one: Program) -> Iterator[Write]:
    name, words = one.name, one.words
    if name in ("apply_patch", "applypatch", "patch") or (name == "git" and "apply" in words[1:2]):
        text = one.document or next((word for word in words[1:] if is_patch(word)), "")
        yield from patched(text) if is_patch(text) else ()
    elif name in ("mv", "cp", "rm", "unlink", "touch", "install"):
        yield from _moved(name, _plain(words[1:]))
    elif name == "git":
        yield from _by_git(words)
    elif name in ("sed", "perl") and any(_IN_PLACE.fullmatch(word) for word in words[1:]):
        yield from _in_place(words)
    elif name in _FORMATTERS and _FORMATTERS[name] <= set(words) | (
        {"-w"} if "--write" in words else set()
    ):
        wanted = "--check" not in words and "--diff" not in words
        yield from (Write(word, "change") for word in words[1:] if wanted and _FILE.fullmatch(word))
    elif _script_of(one):
        yield from _by_script(_script_of(one))
    yield from _redirected(one)


def _redirected(one: Program) -> Iterator[Write]:
    """What goes to a file: a printer's text is its new text, anything else's is its output."""
    prints = one.name in _PRINTERS
    text = one.document
    if not text and one.name in ("echo", "printf"):
        text = " ".join(word for word in one.words[1:] if not re.fullmatch(r"-[neE]+", word))
    targets = [*one.writes]
    if one.name == "tee":
        way = ">>" if {"-a", "--append"} & set(one.words) else ">"
        targets += [(way, word) for word in one.words[1:] if not word.startswith("-")]
    for way, path in targets:
        if (
            not _PLAIN.fullmatch(path)
            or (not prints and _TEMPORARY.match(path))
            or path.startswith("/dev/")
        ):
            continue
        yield Write(path, "append" if way == ">>" else "write", new=text if prints else "")


def _plain(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith("-") and _PLAIN.fullmatch(word)]


def _moved(name: str, named: Sequence[str]) -> Iterator[Write]:
    if name in ("rm", "unlink"):
        yield from (Write(path, "delete") for path in named if _FILE.fullmatch(path))
    elif name == "touch":
        yield from (Write(path, "write") for path in named if _FILE.fullmatch(path))
    elif len(named) == 2 or (len(named) > 2 and not _FILE.fullmatch(named[-1])):  # noqa: PLR2004 - from and to
        *sources, to = named
        for path in sources:
            inside = (
                to.endswith("/")
                or len(sources) > 1
                or (_FILE.fullmatch(path) and not _FILE.fullmatch(to))
            )
            place = f"{to.rstrip('/')}/{path.rpartition('/')[2]}" if inside else to
            if _FILE.fullmatch(path) or _FILE.fullmatch(place):
                yield Write(path, "move", new=place) if name == "mv" else Write(place, "write")


def _by_git(words: Sequence[str]) -> Iterator[Write]:
    place = 1
    while place < len(words) and words[place] in ("-C", "-c"):
        place += 2
    verb, rest = (words[place], words[place + 1 :]) if place < len(words) else ("", ())
    if verb == "mv":
        yield from _moved("mv", _plain(rest))
    elif verb == "rm":
        kept = "--cached" in rest
        yield from (
            Write(path, "delete") for path in _plain(rest) if not kept and _FILE.fullmatch(path)
        )
    elif verb in ("checkout", "restore") and not {
        "-b",
        "-B",
        "--staged",
        "--ours",
        "--theirs",
    } & set(rest):
        named = rest[rest.index("--") + 1 :] if "--" in rest else rest
        yield from (
            Write(path, "restore") for path in _plain(named) if _FILE.fullmatch(path) or path == "."
        )


def _in_place(words: Sequence[str]) -> Iterator[Write]:
    """`sed -i` and `perl -pi`: what they substitute, where that can be read off."""
    scripts, files = list[str](), list[str]()
    for word in words[1:]:
        if word.startswith("-") and not _SUBSTITUTION.search(word):
            continue
        is_script = _SUBSTITUTION.search(word) or (not scripts and not _FILE.fullmatch(word))
        (scripts if is_script else files).append(word)
    found = [pair for script in scripts for pair in _substituted(script)]
    for path in files:
        if not _PLAIN.fullmatch(path):
            continue
        yield from (Write(path, "change", old, new) for old, new in found or [("", "")])


def _substituted(script: str) -> Iterator[tuple[str, str]]:
    """What a script of sed takes out and puts in."""
    for one in _SUBSTITUTION.finditer(script):
        mark, escaped = one["d"], f"\\{one['d']}"
        yield one["old"].replace(escaped, mark), one["new"].replace(escaped, mark)
    for one in _PUT.finditer(script):
        yield "", one["new"].replace("\\\n", "\n").strip()
    for one in _TAKEN.finditer(script):
        yield one["old"], ""


def _script_of(one: Program) -> str:
    if not re.fullmatch(r"(?:python|node|ruby|deno|bun)[\d.]*", one.name):
        return ""
    if one.document:
        return one.document
    pairs = zip(one.words[1:], one.words[2:], strict=False)
    return next((text for flag, text in pairs if flag in ("-c", "-e")), "")


def _by_script(script: str) -> Iterator[Write]:
    """Files that a script opens and writes, and what it replaces in them."""
    if not _WRITES.search(script):
        return
    known = {one["name"]: one["path"] for one in _NAMED.finditer(script)}
    opened = [*_OPENED.finditer(script)]
    whole = any(word in script for word in ("write_text(", "write_bytes(", "writeFile"))
    named = [
        one["path"] or known.get(one["name"] or "", "") for one in opened if whole or one["mode"]
    ]
    named += [path for name, path in known.items() if re.search(rf"\b{name}\.write_", script)]
    replaced = [(one["old"], one["new"]) for one in _REPLACED.finditer(script)]
    bodies = sorted((one["text"] for one in _BODY.finditer(script)), key=len)
    for path in dict.fromkeys(filter(_PLAIN.fullmatch, filter(None, named))):
        if replaced:
            yield from (Write(path, "change", old, new) for old, new in replaced)
        else:
            yield Write(path, "write", new=bodies[-1] if bodies else "")


def _made(found: Sequence[Program], printed: str) -> Iterator[Write]:
    """What programs that act say they made; a pull or a merge tells of others' files."""
    if families.only_looks(found):
        return
    commits = any(one.name == "git" and "commit" in one.words for one in found)
    for one in _CREATED.finditer(printed):
        if one["git"] and not commits:
            continue
        path = next(filter(None, one.groups()), "").strip()
        if _FILE.fullmatch(path) and not _TEMPORARY.match(path):
            yield Write(path, "make", told=False)
