"""A repository that grows commit by commit, a day apart, and is changed as a person would."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Grown:
    """A git repository in a folder; each commit is a day after the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.days = 0
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """What git prints; nothing of the user's settings."""
        at = (BEGUN + timedelta(days=self.days)).isoformat()
        told = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "HOME": str(self.root)}
        who = {
            f"GIT_{one}_{what}": "ada"
            for one in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        ran = subprocess.run(
            ["git", "-C", str(self.root), *arguments],
            env=os.environ | told | who,
            capture_output=True,
            check=True,
        )
        return ran.stdout.decode()

    def commit(self, said: str, **texts: str | None) -> datetime:
        """Write files (`src__a.py` is src/a.py), or take those away that are None; when it was done."""
        for name, text in texts.items():
            path = self.root / name.replace("__", "/").replace("_dot_", ".")
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", said)
        self.days += 1
        return BEGUN + timedelta(days=self.days - 1)
