"""Ten screens as a person sees them, at 80 and 140 columns, before and after; written to docs/screens.

    python scripts/screens.py after
    PYTHONPATH=CHECKOUT_OF_BEFORE python scripts/screens.py before

The history is the tour's own, indexed into a bank of this script's; "before" is whatever checkout comes
first on the path.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from terminal import screen

ROOT = Path(__file__).parent.parent
WIDTHS = (80, 140)
SCREENS = {
    "help": ["--help"],
    "wrong-word": ["serch"],
    "list": ["list"],
    "recent": ["recent"],
    "search": ["search", "UnicodeEncodeError when writing a file"],
    "nothing-found": ["search", "kubernetes ingress certificate"],
    "fetch": ["fetch", "{ref}#2-3"],
    "runbook": ["runbook", "write the customer list to a file", "--error", "UnicodeEncodeError"],
    "projects": ["projects"],
    "status": ["status"],
    "no-such-project": ["search", "euro", "--project", "shpo"],
}
NEW = {
    "blame": ["blame", "shop/export.py"],
    "fix": ["fix", "UnicodeEncodeError: 'charmap' codec can't encode character"],
    "how": ["how", "export the orders"],
    "restore": ["restore", "shop/export.py"],
    "setup": ["setup", "--dry-run"],
}
"""Screens that there were none of before."""


def laid_out(home: Path) -> Path:
    """The tour's sessions where a host would keep them; the project that they are of."""
    project = home / "shop"
    (project / ".git").mkdir(parents=True)
    target = home / ".claude" / "projects" / "shop"
    target.mkdir(parents=True)
    for sample in sorted((ROOT / "mcp_memory/cli/samples").glob("*.jsonl")):
        text = sample.read_text(encoding="utf-8").replace("{project}", str(project))
        (target / sample.name).write_text(text, encoding="utf-8")
    return project


def main(when: str) -> None:
    """Write every screen."""
    folder = ROOT / "docs" / "screens" / when
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    home = Path(tempfile.gettempdir()) / "ada"
    shutil.rmtree(home, ignore_errors=True)
    project = laid_out(home)
    os.chdir(project)
    os.environ |= {"HOME": str(home), "MCP_MEMORY_HOME": str(home / "bank")}
    os.environ.pop("CLAUDE_CONFIG_DIR", None)
    program = [sys.executable, "-m", "mcp_memory"]
    subprocess.run([*program, "index"], check=True, capture_output=True)
    listed = subprocess.run([*program, "list"], check=True, capture_output=True, text=True).stdout
    ref = next(word for word in listed.split() if word.startswith("t:"))
    wanted = {**SCREENS, **NEW} if when == "after" else SCREENS
    for width in WIDTHS:
        for name, words in wanted.items():
            typed = [word.format(ref=ref) if "{ref}" in word else word for word in words]
            shown = screen([*program, *typed], columns=width).replace(str(home), "/home/ada")
            said = " ".join(w if w.isalnum() or w[:1] == "-" else json.dumps(w) for w in typed)
            text = f"$ mcp-memory {said}\n{shown}\n"
            (folder / f"{name}-{width}.txt").write_text(text, encoding="utf-8")
    shutil.rmtree(home)


if __name__ == "__main__":
    main(sys.argv[1])
