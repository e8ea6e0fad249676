"""Programs of npm, kept in a folder, and run where they see nothing of the user's own home."""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

QUIET = {
    "DISABLE_TELEMETRY": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "NO_COLOR": "1",
}
SYSTEM = ("/usr/local/bin", "/usr/bin", "/bin")


def folder_of(kept: Path) -> Path:
    """Where npm puts what can be started."""
    return kept / "node_modules" / ".bin"


def installed(kept: Path, packages: Sequence[str]) -> Path:
    """Fetch the packages unless the same ones are there; the folder of the programs."""
    kept.mkdir(parents=True, exist_ok=True)
    note = kept / "installed.json"
    if not note.exists() or json.loads(note.read_text(encoding="utf-8")) != list(packages):
        (kept / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", *packages]
        subprocess.run(command, cwd=kept, check=True)
        note.write_text(json.dumps(packages), encoding="utf-8")
    return folder_of(kept)


def each_host(
    doc: str, hosts: Sequence[str], run: Callable[[str, Path, Path], tuple[str, list[str]]]
) -> int:
    """Run the hosts that the command line names, or all, each in a folder of its own; the faults."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("programs", type=Path)
    parser.add_argument("hosts", nargs="*", default=[], help=", ".join(hosts))
    parser.add_argument("--keep", type=Path, help="leave scratch homes and requests here")
    told = parser.parse_args()
    faults = 0
    for name in told.hosts or hosts:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
            folder = told.keep.resolve() / name if told.keep else Path(made).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            said, wrong = run(name, folder, told.programs.resolve())
        faults += len(wrong)
        print(said, *(f"  FAULT: {each}" for each in wrong), sep="\n", flush=True)
    return faults


def beside(programs: Path) -> dict[str, str]:
    """Our own environment, in which the programs are found first."""
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def apart(home: Path, *folders: Path) -> dict[str, str]:
    """An environment with another home, in which programs of these folders are found first."""
    path = os.pathsep.join([*map(str, folders), *SYSTEM])
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    return {**kept, **QUIET, "HOME": str(home), "PATH": path, "CODEX_HOME": str(home / ".codex")}


def printed(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, seconds: float = 120
) -> tuple[int, str]:
    """Exit status and everything printed; -1 where it did not end in time."""
    try:
        done = subprocess.run(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return -1, (error.stdout or b"").decode("utf-8", "replace")
    return done.returncode, done.stdout.decode("utf-8", "replace")
