"""A release's files, reproducible: wheel and source distribution, built twice and compared byte for byte.

    python scripts/release.py dist

Times are those of the last commit (SOURCE_DATE_EPOCH), so that anybody who has the sources can make the
same bytes and compare. Needs `build`; writes SHA256SUMS beside the folder.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def epoch() -> str:
    """Seconds of the last commit; where there is no repository, of the newest file of the package."""
    try:
        told = subprocess.run(
            ["git", "log", "-1", "--pretty=%ct"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return str(int(max(f.stat().st_mtime for f in (ROOT / "mcp_memory").rglob("*.py"))))


def build(folder: Path) -> dict[str, str]:
    """Build into a folder; each file's name with its SHA-256."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", epoch())}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    files = sorted(p for p in folder.iterdir() if p.name.endswith((".whl", ".tar.gz")))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def main(folder: Path) -> int:
    """Build twice; 1 where the bytes differ."""
    folder.mkdir(parents=True, exist_ok=True)
    first = build(folder)
    with tempfile.TemporaryDirectory() as again:
        second = build(Path(again))
    for name, digest in first.items():
        same = "the same" if second.get(name) == digest else "DIFFERENT"
        print(f"{digest}  {name}  ({same} when built again)")
    if first != second:
        return 1
    sums = "".join(f"{digest}  {name}\n" for name, digest in first.items())
    (folder.parent / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve()))
