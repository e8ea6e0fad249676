"""The command line as a whole: help, words meant, times, exit status, JSON; before anything heavy."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tour_sessions import written

from mcp_memory.cli import COMMANDS, MEANT, OPENS, SECTIONS, cli, ending

HEAVY = ("lancedb", "pyarrow", "fastembed", "rich", "pydantic", "anyio", "mcp.")
ANSWERING = (
    *("search", "recent", "blame", "fix", "how", "restore", "resume", "runbook", "fetch"),
    *("inspect", "list", "status", "stats", "projects", "history", "settings", "token list"),
    *("retain", "consolidate", "delete", "undo", "index"),
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path):
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    return lambda *words, **more: runner.invoke(cli, list(words), **more)


@pytest.fixture
def indexed(run, tmp_path: Path):
    run("index", *(str(path) for path in written(tmp_path)))
    return run


def commands(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for each in group.list_commands(context):
            command = group.get_command(context, each)
            assert command is not None
            yield f"{name} {each}".strip(), command
            if isinstance(command, click.Group):
                yield from commands(command, f"{name} {each}".strip())


TREE = dict(commands(cli))


@pytest.mark.parametrize("name", TREE)
def test_every_option_has_its_sentence(name: str) -> None:
    options = [each for each in TREE[name].params if isinstance(each, click.Option)]
    assert [each.name for each in options if not (each.help or "").strip()] == []


@pytest.mark.parametrize("name", TREE)
def test_every_command_has_a_sentence_that_ends(name: str) -> None:
    said = (TREE[name].help or "").strip().splitlines()[0]
    assert said.rstrip("`)").endswith((".", ":", "?", ",", ";")) or len(said) > 60


@pytest.mark.parametrize("name", ANSWERING)
def test_every_command_that_answers_can_answer_a_program(name: str) -> None:
    assert "--json" in {spelled for each in TREE[name].params for spelled in each.opts}


def test_every_command_has_its_place_on_the_help_page() -> None:
    placed = [name for names in SECTIONS.values() for name in names]
    assert len(placed) == len(set(placed))
    assert set(MEANT.values()) <= {*COMMANDS, "setup"}
    assert set(COMMANDS) >= OPENS


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["serch"]])
def test_the_first_words_import_nothing_heavy(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mcp_memory", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )
    imported = re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert "click" in imported
    assert [name for name in imported if name.startswith(HEAVY)] == []


def test_a_help_page_of_a_command_opens_no_bank() -> None:
    """One process for all of them: what one imports, the next ones have."""
    probe = (
        "import sys; from click.testing import CliRunner; from mcp_memory.cli import cli\n"
        f"for name in {sorted(OPENS)!r}:\n"
        "    assert CliRunner().invoke(cli, [name, '--help']).exit_code == 0, name\n"
        "    heavy = ('lancedb', 'fastembed', 'rich', 'mcp_memory.bank')\n"
        "    print(name, [each for each in heavy if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name} []" for name in sorted(OPENS)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("serch", "search"), ("remember", "retain"), ("blam", "blame"), ("config", "settings")],
)
def test_a_command_that_is_none_says_which_was_meant(run, typed: str, meant: str) -> None:
    told = run(typed)
    assert told.exit_code == ending.WRONG
    assert f"Did you mean {meant}" in told.output


def test_an_option_that_is_none_says_which_was_meant(run) -> None:
    told = run("list", "--limt", "3")
    assert told.exit_code == ending.WRONG
    assert "--limit" in told.output


@pytest.mark.parametrize(
    "words",
    [
        ("search", "euro"),
        ("recent",),
        ("blame", "export.py"),
        ("fix", "UnicodeEncodeError"),
        ("how", "export"),
        ("restore", "export.py"),
        ("runbook", "export the orders"),
        ("list",),
    ],
)
def test_a_project_that_is_none_is_wrong_and_says_which_was_meant(indexed, words) -> None:
    told = indexed(*words, "--project", "shp")
    assert told.exit_code == ending.WRONG, told.output
    assert "No history of a project called 'shp'" in told.output
    assert re.search(r"Did you mean \S+/shop\?", told.output)
    assert indexed(*words, "--project", "shop").exit_code == ending.ANSWERED


def test_nothing_found_is_told_by_the_exit_status(indexed) -> None:
    nothing = (
        ("search", "kubernetes ingress certificate", "--project", "shop"),
        ("blame", "nowhere.py", "--project", "shop"),
        ("fix", "segmentation fault in libfoo", "--project", "shop"),
        ("fix", "UnicodeEncodeError: 'cp932' codec can't encode", "--project", "shop"),
        ("how", "deploy to kubernetes", "--project", "shop"),
        ("restore", "nowhere.py", "--project", "shop"),
        ("fetch", "m:000000000000"),
        ("recent", "--project", "shop", "--since", "1999", "--until", "1999"),
    )
    for words in nothing:
        told = indexed(*words)
        assert told.exit_code == ending.NOTHING, (words, told.output)
        assert told.output.strip(), words


def test_a_search_of_json_says_by_its_status_too_that_nothing_was_found(indexed) -> None:
    told = indexed("search", "kubernetes ingress", "--project", "shop", "--json")
    assert told.exit_code == ending.NOTHING
    assert json.loads(told.stdout)["found"] is False


def test_the_meanings_of_the_exit_status_stand_on_the_help_page(run) -> None:
    page = " ".join(run("--help").output.split())
    for code, meaning in ending.MEANINGS.items():
        assert f"{code} {meaning}" in page


@pytest.mark.parametrize("when", ["2w", "yesterday", "last monday", "2026-03", "3 days ago"])
def test_times_are_given_as_people_write_them(indexed, when: str) -> None:
    told = indexed("search", "--project", "shop", "--until", "now", "--since", when)
    assert told.exit_code in {ending.ANSWERED, ending.NOTHING}
    assert "Usage" not in told.output


def test_a_day_is_meant_whole(indexed) -> None:
    told = indexed(
        "search", "--project", "shop", "--since", "2026-03-02", "--until", "2026-03-02", "--json"
    )
    days = {hit["at"] for hit in json.loads(told.stdout)["hits"]}
    assert days == {"2026-03-02"}


def test_what_is_no_time_is_said_with_examples(run) -> None:
    told = run("recent", "--since", "the flood")
    assert told.exit_code == ending.WRONG
    assert "2w" in told.output


def test_steps_are_named_by_a_dash_as_in_refs(indexed) -> None:
    ref = json.loads(indexed("list", "--json").stdout)[0]["ref"]
    with_dash = indexed("inspect", ref, "--span", "2-3").output
    assert with_dash == indexed("inspect", ref, "--span", "2:3").output
    assert "#2 " in with_dash
    assert "#4 " not in with_dash


def test_an_empty_bank_says_what_comes_next(run) -> None:
    for what in ("sessions", "memories", "projects", "changes"):
        told = run("list", what)
        assert told.exit_code == ending.ANSWERED
        assert told.stdout == ""
    assert "mcp-memory index" in run("list").stderr
    assert "mcp-memory setup" in run("status").output


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of Unix")
def test_a_reader_that_stops_reading_is_no_fault_of_the_bank(
    indexed, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "list"],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == ending.UNREAD


def test_a_preview_of_much_names_each_session_once_and_says_how_many_more(indexed) -> None:
    seen = indexed("delete", "--contains", "shop").output
    refs = seen.partition("records: ")[2].partition("\n")[0].split()
    sessions = [ref for ref in refs if ref.startswith("t:")]
    assert len(sessions) == len({ref.partition("#")[0] for ref in sessions}) == 2
    assert any(ref.startswith("#") for ref in refs)


def test_projects_are_listed_as_many_as_are_asked_for(indexed) -> None:
    indexed("retain", "the export listens on port 8080", "--project", "elsewhere")
    assert len(indexed("list", "projects", "--limit", "1").output.splitlines()) == 1


def test_a_pipe_gets_what_was_recalled_fenced_and_without_colours(indexed) -> None:
    for words in (("blame", "export.py"), ("fix", "UnicodeEncodeError"), ("search", "euro")):
        told = indexed(*words, "--project", "shop").output
        assert "<recalled " in told
        assert "\x1b" not in told


def test_options_are_named_as_they_are_typed(indexed) -> None:
    told = indexed("search", "kubernetes ingress certificates").output
    assert "--project '*'" in told
    assert "project='*'" not in told


def test_a_server_that_a_host_starts_imports_nothing_that_draws() -> None:
    probe = (
        "import sys; from mcp_memory.server.app import build_server;"
        "from mcp_memory.settings import Settings; build_server(Settings(index_auto=False));"
        "print([m for m in ('rich', 'rich.console', 'rich.logging') if sys.modules.get(m)])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "Traceback" not in done.stderr
