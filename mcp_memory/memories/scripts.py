"""Scripts: whether a project's own files still define the target that a command runs."""

import re

from mcp_memory.memories.tree import Tree

_FILES: dict[str, tuple[tuple[str, ...], str]] = {
    "make": (("Makefile", "makefile", "GNUmakefile"), r"^(?:[^\s#:=]+ )*{}(?: [^\s:=]+)*\s*:(?!=)"),
    "just": (("justfile", "Justfile", ".justfile"), r"^@?{}(?:\s[^:=\n]*)?:(?!=)"),
    "task": (("Taskfile.yml", "Taskfile.yaml"), r"^\s+['\"]?{}['\"]?:"),
    "npm": (("package.json",), r"\"{}\"\s*:"),
    "composer": (("composer.json",), r"\"{}\"\s*:"),
    "rake": (("Rakefile",), r"task[\s(]+:?['\"]?{}\b"),
    "mise": (("mise.toml", ".mise.toml"), r"^\[tasks\.\"?{}\"?\]|^\"?{}\"?\s*="),
}
"""Program to the files that define its targets, and how a target stands in them."""
_SAME = {"pnpm": "npm", "yarn": "npm", "bun": "npm"}
_OWN = frozenset(
    {"install", "i", "ci", "add", "remove", "test", "start", "init", "publish", "audit", "update",
     "exec", "run", "pack", "link", "login", "version", "outdated", "build", "help", "use", "trust"}
)  # fmt: skip
"""Words that the programs themselves know: nothing of the project has to define them."""


def defines(tree: Tree, line: str) -> bool | None:
    """Whether the project defines what a command asks for; None where nothing tells."""
    words = line.split()
    program = _SAME.get(words[0], words[0])
    if program not in _FILES or len(words) < 2:  # noqa: PLR2004 - a program and its target
        return None
    target, plain = words[-1], len(words) == 2  # noqa: PLR2004
    if plain and program in ("npm", "composer", "mise") and target in _OWN:
        return None
    names, pattern = _FILES[program]
    texts = [text for name in names if (text := tree.text(name))]
    if program == "mise" and _task_file(tree, target):
        return True
    if not texts:
        return None
    looked = re.compile(pattern.replace("{}", re.escape(target)), re.MULTILINE)
    return any(looked.search(text) for text in texts)


def _task_file(tree: Tree, target: str) -> bool:
    path = target.replace(":", "/")
    folders = ("mise-tasks", ".mise-tasks", ".mise/tasks", "mise/tasks", ".config/mise/tasks")
    return any(
        tree.at(f"{folder}/{path}{ending}") is not None
        for folder in folders
        for ending in ("", ".sh", ".py", "/_default")
    )
