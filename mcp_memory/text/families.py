"""Families: what a program of a command line is for: it judges the work, it acts, or it only looks."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from mcp_memory.text.shell import Program

Purpose = Literal["judges", "acts", "looks", "keeps house"]

_GOAL = re.compile(
    r"(?:tests?|check|build|lint|verify|vet|typecheck|type-check|compile|clippy|nextest|e2e|ci"
    r"|deploy|publish|release|fmt-check|format-check)(?:[:_-].*)?"
)
"""What a build tool is asked for when it is asked to judge: words of commands, not of prose."""
_BUILDERS = frozenset(
    {"ant", "bazel", "bun", "cargo", "cmake", "composer", "dart", "deno", "dotnet", "docker",
     "firebase", "fly", "flyctl", "flutter", "go", "gradle", "gradlew", "hatch", "invoke", "just",
     "make", "meson", "mise", "mix", "mvn", "mvnw", "netlify", "ninja", "npm", "nx", "pdm", "php",
     "pnpm", "rake", "ruff", "sbt", "serverless", "swift", "task", "turbo", "vercel", "wrangler",
     "yarn", "zig"}
)  # fmt: skip
_JUDGES = frozenset(
    {"basedpyright", "bats", "biome", "black", "clang-tidy", "ctest", "cypress", "eslint", "flake8",
     "g++", "gcc", "golangci-lint", "goreleaser", "javac", "jest", "ktlint", "mocha", "mypy",
     "nosetests", "nox", "phpstan", "phpunit", "playwright", "pre-commit", "py.test", "pylint",
     "pyright", "pytest", "rspec", "rubocop", "rustc", "shellcheck", "staticcheck", "swiftlint",
     "tox", "tsc", "unittest", "vitest", "vue-tsc", "xcodebuild"}
)  # fmt: skip
"""Programs whose exit code is a verdict on the work."""
_RUNNERS = frozenset(
    {"bunx", "bundle", "npx", "pipenv", "pipx", "poetry", "python", "python3", "py", "uv", "uvx",
     "-m", "run", "exec", "dlx"}
)  # fmt: skip
"""Words before the program that a runner runs."""
_MOVES = frozenset({"chmod", "chown", "cp", "install", "ln", "mkdir", "mv", "rm", "rmdir", "touch"})
_FLAG = re.compile(r"-\w.*|\w+=.*")
_SCRIPT = re.compile(
    r"(?:.*[-_.])?(?:(?:run)?tests?|check|verify|lint|ci|build|deploy)(?:[-_.].*)?\.(?:sh|ps1|bat|cmd|py)"
)
_GIT_JUDGES = frozenset({"commit", "push", "merge", "rebase", "cherry-pick", "revert", "pull"})
_GIT_ACTS = frozenset(
    {"add", "am", "apply", "bisect", "checkout", "clean", "clone", "fetch", "gc", "init", "mv",
     "reset", "restore", "rm", "stash", "submodule", "switch", "tag", "worktree"}
)  # fmt: skip
_LOOKS = frozenset(
    {"ag", "awk", "bat", "cat", "cksum", "cmp", "column", "comm", "cut", "date", "delta", "df",
     "diff", "du", "egrep", "env", "fd", "fgrep", "file", "find", "fold", "git-log", "grep", "head",
     "hexdump", "htop", "id", "jq", "less", "ls", "lsof", "man", "md5", "md5sum", "more", "nl",
     "nm", "od", "otool", "pgrep", "printenv", "ps", "pwd", "rev", "rg", "sed", "sha256sum",
     "shasum", "sort", "stat", "strings", "tac", "tail", "tee", "tokei", "top", "tr", "tree",
     "type", "uname", "uniq", "wc", "where", "which", "whoami", "xargs", "xxd", "yq", "zcat"}
)  # fmt: skip
"""Programs that mostly only look, and filters of what another one wrote."""
_SILENT = frozenset(
    {".", ":", "[", "[[", "alias", "break", "case", "cd", "continue", "done", "echo", "esac",
     "exit", "export", "false", "fi", "for", "function", "local", "popd", "printf", "pushd",
     "read", "return", "set", "shift", "shopt", "sleep", "source", "test", "trap", "true",
     "ulimit", "unset", "wait", "}", ""}
)  # fmt: skip
"""Shell words that say nothing of what a command line is for."""
_IN_PLACE = re.compile(r"-[a-zA-Z]*i(?:\..*)?|--in-place(?:=.*)?")
_VALUED = frozenset({"-C", "-c", "--cwd", "--filter", "--prefix", "--dir", "--git-dir", "-R", "-F"})
"""Flags whose value stands before the subcommand."""
_GH_LOOKS = frozenset({"api", "browse", "search", "status"})
_QUESTIONS = frozenset(
    {"--help", "-h", "--version", "help", "version", "list", "ls", "info", "doc", "env"}
)
_GH_SENDS = frozenset({"-X", "--method", "-f", "--field", "-F", "--raw-field", "--input"})
_GH_VERBS = frozenset({"checks", "diff", "list", "status", "view", "watch"})


@lru_cache(maxsize=4096)
def purpose(program: Program) -> Purpose:
    """What a program is for; of what nobody knows, it acts."""
    name = program.name
    if name in _SILENT or not re.search(r"\w", name):
        return "keeps house"
    if judged(program):
        return "judges"
    return "looks" if _only_asks(program) else "acts"


def _only_asks(program: Program) -> bool:
    name, asked = program.name, asked_of(program)
    if name in ("sed", "perl") and any(map(_IN_PLACE.fullmatch, program.words[1:])):
        return False
    if name in _LOOKS:
        return not (program.document and program.writes)
    if name == "git":
        return not asked or asked[0] not in _GIT_ACTS | _GIT_JUDGES
    if name == "gh":
        if _GH_SENDS & set(program.words):
            return False
        return not asked or asked[0] in _GH_LOOKS or bool(_GH_VERBS & set(asked[1:2]))
    return bool(_QUESTIONS & set(program.words[1:3]))


@lru_cache(maxsize=4096)
def judged(program: Program) -> str:
    """The kind of verdict that a program's exit code is, such as `go test`; empty for none."""
    rest = list(program.words)
    while rest and (_last(rest[0]) in _RUNNERS or _FLAG.fullmatch(rest[0])):
        rest = rest[1:]
    if not rest:
        return ""
    name = _last(rest[0])
    if name in _JUDGES:
        return "" if {"--version", "--help"} & set(rest) else name
    if _SCRIPT.fullmatch(name):
        return name
    if name == "git":
        asked = asked_of(program)
        ended = {"--abort", "--quit", "--skip", "--help", "-h"} & set(program.words)
        return f"git {asked[0]}" if asked and asked[0] in _GIT_JUDGES and not ended else ""
    if name not in _BUILDERS:
        return ""
    targets = [word for word in rest[1:] if not word.startswith("-")]
    goal = next((word for word in targets[:3] if _GOAL.fullmatch(word)), "")
    if not goal and name in ("make", "ninja") and not targets:
        goal = "build"
    return f"{name} {goal}" if goal else ""


def asked_of(program: Program) -> tuple[str, ...]:
    """A program's first words that are no flags and no flags' values: what it is asked to do."""
    kept: list[str] = []
    rest = iter(program.words[1:])
    for word in rest:
        if word in _VALUED:
            next(rest, "")
        elif not word.startswith("-"):
            kept.append(word)
    return tuple(kept)


def only_looks(found: Sequence[Program]) -> bool:
    """Whether nothing of a command line judges or acts."""
    told = [purpose(one) for one in found]
    return "looks" in told and not {"judges", "acts"} & set(told)


def only_moves(found: Sequence[Program]) -> bool:
    """Whether a command line only moves files, or takes them into git, and runs nothing else."""
    told = [one for one in found if purpose(one) in ("acts", "judges")]
    return bool(told) and all(one.name in _MOVES or one.name == "git" for one in told)


def is_silent(program: Program) -> bool:
    """Whether it is a word by which the shell only keeps house."""
    return purpose(program) == "keeps house"


def _last(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe").lower()
