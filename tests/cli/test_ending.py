"""Endings: what an exit status says of a part that was refused, and that nothing is written over unasked."""

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
import pytest
from click.testing import CliRunner, Result
from serving import listening, made
from tour_sessions import written

from mcp_memory.cli import COMMANDS, cli, ending
from mcp_memory.hosts.installing.targets import TARGETS
from mcp_memory.remote import reaching
from mcp_memory.settings import Settings

Run = Callable[..., Result]
STRANGE = '{"a": 1}\n'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path) -> Run:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli, list(words))


def strange(folder: Path) -> str:
    file = folder / "notes.jsonl"
    file.write_text(STRANGE, encoding="utf-8")
    return str(file)


def sessions(folder: Path) -> list[str]:
    return [str(path) for path in written(folder)]


def hosts() -> None:
    for name, text in (("cursor", "{ broken"), ("codex", "")):
        file = next(each for each in TARGETS if each.name == name).file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def indexed(run: Run, folder: Path) -> Result:
    return run("index", strange(folder), *sessions(folder))


def imported(run: Run, folder: Path) -> Result:
    run("index", *sessions(folder))
    run("export", str(folder / "bank.jsonl"))
    with (folder / "bank.jsonl").open("a", encoding="utf-8") as lines:
        lines.write("{ torn\n")
    return run("import", str(folder / "bank.jsonl"))


def fetched(run: Run, folder: Path) -> Result:
    run("retain", "the export listens on port 8080")
    ref = run("list", "memories").output.partition("m:")[2][:12]
    return run("fetch", f"m:{ref}", "m:000000000000")


def edited(run: Run, folder: Path) -> Result:
    run("retain", "the export listens on port 8080")
    run("retain", "the import listens on port 8081")
    one, other = sorted((folder / "home" / "memories").glob("**/*.md"))
    one.write_text(one.read_text("utf-8").replace("kind: fact", "kind: ["), "utf-8")
    other.write_text(other.read_text("utf-8").replace("listens", "waits"), "utf-8")
    return run("edit")


def exported(run: Run, folder: Path) -> Result:
    for title in ("Release", "Build"):
        run("retain", f"{title} with make.", "--kind", "procedure", "--title", title)
    own = folder / "skills" / "release" / "SKILL.md"
    own.parent.mkdir(parents=True)
    own.write_text("# A person's own\n", encoding="utf-8")
    return run("export", "--skills", str(folder / "skills"))


def undone(run: Run, folder: Path) -> Result:
    run("retain", "the export listens on port 8080")
    ref = run("list", "memories").output.partition("m:")[2][:12]
    sure = run("delete", f"m:{ref}").output.partition("--confirm ")[2].split()[0]
    run("delete", f"m:{ref}", "--mode", "purge", "--confirm", sure)
    run("retain", "the import listens on port 8081")
    return run("undo", "--since", "1h")


def brought_back(run: Run, folder: Path) -> Result:
    run("retain", "the export listens on port 8080")
    run("backup", str(folder / "bank.tar"))
    hosts()
    return run("backup", str(folder / "bank.tar"), "--restore", "--replace")


def set_up(*words: str) -> Callable[[Run, Path], Result]:
    def scene(run: Run, folder: Path) -> Result:
        hosts()
        return run(*words)

    return scene


SCENES: dict[str, Callable[[Run, Path], Result]] = {
    "index": indexed,
    "import": imported,
    "fetch": fetched,
    "edit": edited,
    "export": exported,
    "undo": undone,
    "backup": brought_back,
    "setup": set_up("setup", "--yes", "--no-index"),
    "install": set_up("install", "--no-check"),
    "uninstall": set_up("uninstall"),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_command_that_did_a_part_says_so_by_its_status_and_names_the_rest(
    run: Run, tmp_path: Path, name: str
) -> None:
    told = SCENES[name](run, tmp_path)
    assert told.exit_code == ending.PART, told.output
    assert told.output.strip()


async def test_a_push_and_a_pull_that_came_through_in_part_say_so(
    run: Run, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    laptop = tmp_path / "laptop"
    laptop.mkdir()
    monkeypatch.setenv(reaching.TOKEN_VARIABLE, made(elsewhere))
    async with listening(elsewhere) as listener:

        async def done(*words: str) -> Result:
            return await anyio.to_thread.run_sync(lambda: run(*words))

        nothing = await done("push", listener.url, strange(laptop))
        assert nothing.exit_code == ending.WRONG
        assert "1 not pushed:\n" in nothing.output
        pushed = await done("push", listener.url, strange(laptop), *sessions(laptop))
        assert pushed.exit_code == ending.PART
        assert "1 not pushed; everything else was:\n  " in pushed.output

        own = tmp_path / "pulled" / "README.md"
        own.parent.mkdir()
        own.write_text("mine", encoding="utf-8")
        pulled = await done("pull", listener.url, "--project", "shop", "--to", str(own.parent))
        assert pulled.exit_code == ending.PART, pulled.output
        assert "README.md: a file that was not pulled" in pulled.output
        assert own.read_text(encoding="utf-8") == "mine"
        own.unlink()
        again = await done("pull", listener.url, "--project", "shop", "--to", str(own.parent))
        assert again.exit_code == ending.ANSWERED


def test_every_command_that_may_do_a_part_is_written_down_and_tried() -> None:
    assert {*ending.PARTS} == {*SCENES, "push", "pull"}
    assert {*ending.PARTS} <= {*COMMANDS}


@pytest.mark.parametrize("words", [("export",), ("backup",), ("restore", "shop/export.py", "-o")])
def test_a_file_that_is_there_is_written_over_only_by_force(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    run("index", *sessions(tmp_path))
    more = ("--project", "shop") if words[0] == "restore" else ()
    file = tmp_path / "notes.txt"
    file.write_text("mine", encoding="utf-8")
    told = run(*words, str(file), *more)
    assert told.exit_code == ending.WRONG, told.output
    assert "exists and was left as it is." in told.output
    assert "--force" in told.output
    assert file.read_text(encoding="utf-8") == "mine"
    assert run(*words, str(file), *more, "--force").exit_code == ending.ANSWERED
    assert file.read_bytes() != b"mine"
