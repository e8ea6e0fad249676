"""Hosts' settings: our entry in and out, everything else byte for byte."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.cli import cli, ending
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.hosts.installing import jsonc, toml_text, yaml_text
from mcp_memory.hosts.installing.changes import apply, plan_install, plan_uninstall
from mcp_memory.hosts.installing.checking import read_listing, standing
from mcp_memory.hosts.installing.launch import Launch, is_ours, launch
from mcp_memory.hosts.installing.targets import TARGETS, Target, command_of

LAUNCH = Launch(("/opt/own env/bin/mcp-memory", "serve"), {})
BY_NAME = {target.name: target for target in TARGETS}
USED = {
    "codex": '# mine\nmodel = "o5"\n\n[mcp_servers.other]\ncommand = "x" # keep\n\n[tui]\na = 1\n',
    "goose": "# mine\nGOOSE_MODEL: m\nextensions:\n    memory:\n        type: builtin  # keep\n\nz: 1\n",
}


def used(target: Target) -> str:
    commented = "" if target.name in {"claude-desktop", "cursor"} else "  // mine\n"
    return USED.get(
        target.name,
        f'{{\n{commented}  "z": 1,\n  "{target.table}": {{\n    "other": {{"command": "x",'
        ' "args": ["é"]}\n  },\n  "a": [1, 2]\n}\n',
    )


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "OPENCODE_CONFIG_DIR",
                 "MCP_MEMORY_HOME"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path / "AppData" / "Roaming"))
    monkeypatch.setenv("PATH", "")
    return tmp_path


def write(target: Target, text: str) -> Path:
    file = target.file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode("utf-8"))
    return file


def entry_in(target: Target, file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    read = {jsonc: jsonc.load, toml_text: tomllib.loads, yaml_text: yaml.safe_load}[target.form]
    return read(text)[target.table][target.server]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
class TestEveryHost:
    def test_a_fresh_one_gets_a_file_that_starts_the_server_and_loses_it_again(
        self, home: Path, target: Target
    ) -> None:
        apply(plan_install(target, LAUNCH))
        file = target.file()
        assert file.is_relative_to(home)
        assert tuple(command_of(entry_in(target, file))) == LAUNCH.argv
        apply(plan_uninstall(target))
        assert not file.exists()

    def test_one_in_use_keeps_its_comments_order_and_servers_and_is_restored_to_the_byte(
        self, target: Target
    ) -> None:
        file = write(target, used(target))
        file.chmod(0o600)
        change = plan_install(target, LAUNCH)
        apply(change)
        after = file.read_text(encoding="utf-8")
        lines = iter(after.splitlines())
        assert all(
            any(line.rstrip(",") == old.rstrip(",") for line in lines)
            for old in used(target).splitlines()
        )
        assert change.backup.read_text(encoding="utf-8") == used(target)
        if sys.platform != "win32":
            assert {file.stat().st_mode & 0o777, change.backup.stat().st_mode & 0o777} == {0o600}
        apply(plan_uninstall(target))
        assert file.read_text(encoding="utf-8") == used(target)
        assert sorted(file.parent.iterdir()) == [file]

    def test_twice_is_as_good_as_once(self, target: Target) -> None:
        file = write(target, used(target))
        apply(plan_install(target, LAUNCH))
        once = file.read_bytes()
        again = plan_install(target, LAUNCH)
        apply(again)
        assert again.kind == "unchanged"
        assert file.read_bytes() == once

    def test_what_the_user_changed_since_stays_when_we_leave(self, target: Target) -> None:
        file = write(target, used(target))
        apply(plan_install(target, LAUNCH))
        text = file.read_text(encoding="utf-8")
        mark = "# new\n" if target.name in USED else "\n"
        file.write_text(mark + text, encoding="utf-8")
        change = plan_uninstall(target)
        apply(change)
        left = file.read_text(encoding="utf-8")
        assert change.kind == "removed"
        assert "own env" not in left
        assert left.startswith(mark)
        assert target.form.load(left) == target.form.load(used(target))

    def test_a_moved_installation_is_followed_and_the_users_additions_stay(
        self, target: Target
    ) -> None:
        apply(plan_install(target, LAUNCH))
        file = target.file()
        held = target.form.load(file.read_text(encoding="utf-8"))[target.table][target.server]
        path = (target.table, target.server)
        text = target.form.put(file.read_text(encoding="utf-8"), path, {**held, "mine": True})
        file.write_text(text, encoding="utf-8")
        moved = Launch(("/new/mcp-memory", "serve"), {"MCP_MEMORY_HOME": "/bank"})
        change = plan_install(target, moved)
        apply(change)
        entry = entry_in(target, file)
        assert change.kind == "updated"
        assert tuple(command_of(entry)) == moved.argv
        assert entry["mine"] is True
        assert {"MCP_MEMORY_HOME": "/bank"} in entry.values()

    def test_a_server_of_somebody_else_is_not_overwritten(self, target: Target) -> None:
        text = target.form.put(
            "", (target.table, target.server), {"command": "npx", "args": ["server-memory"]}
        )
        file = write(target, text)
        with pytest.raises(InvalidInput, match="--name"):
            plan_install(target, LAUNCH)
        assert plan_uninstall(target).kind == "absent"
        assert file.read_text(encoding="utf-8") == text

    def test_a_file_that_cannot_be_read_is_left_alone(self, target: Target) -> None:
        file = write(target, "{ not = [ really\n")
        with pytest.raises(InvalidInput, match="Nothing was changed"):
            plan_install(target, LAUNCH)
        assert sorted(file.parent.iterdir()) == [file]


def test_a_file_changed_between_plan_and_write_is_not_overwritten(home: Path) -> None:
    target = BY_NAME["claude-code"]
    file = write(target, "{}")
    change = plan_install(target, LAUNCH)
    file.write_text('{"numStartups": 2}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="just now"):
        apply(change)
    assert file.read_text(encoding="utf-8") == '{"numStartups": 2}'


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_settings_that_are_a_link_stay_one(home: Path) -> None:
    target = BY_NAME["cursor"]
    dotfile = home / "dotfiles.json"
    dotfile.write_text("{}", encoding="utf-8")
    target.file().parent.mkdir(parents=True)
    target.file().symlink_to(dotfile)
    apply(plan_install(target, LAUNCH))
    assert target.file().is_symlink()
    assert "mcpServers" in json.loads(dotfile.read_text(encoding="utf-8"))


class TestCommand:
    def test_a_dry_run_shows_the_lines_and_changes_nothing(self) -> None:
        file = write(BY_NAME["codex"], USED["codex"])
        run = CliRunner().invoke(cli, ["install", "--dry-run"])
        assert run.exit_code == 0
        assert (
            "• Codex: the server into ~/.codex/config.toml; as it was: config.toml.before"
            in run.output
        )
        assert "+[mcp_servers.memory]" in run.output
        assert file.read_text(encoding="utf-8") == USED["codex"]
        assert sorted(file.parent.iterdir()) == [file]

    def test_only_hosts_on_this_machine_are_changed_unless_named(self) -> None:
        write(BY_NAME["cursor"], "{}")
        run = CliRunner().invoke(cli, ["install"])
        assert run.exit_code == 0
        assert [target.name for target in TARGETS if target.file().exists()] == ["cursor"]
        assert CliRunner().invoke(cli, ["install", "zed", "goose"]).exit_code == 0
        assert BY_NAME["zed"].file().exists()
        assert BY_NAME["goose"].file().exists()
        assert CliRunner().invoke(cli, ["uninstall"]).exit_code == 0
        assert BY_NAME["cursor"].file().read_text(encoding="utf-8") == "{}"
        assert not BY_NAME["zed"].file().exists()

    def test_one_hosts_broken_file_does_not_keep_the_others_from_theirs(self) -> None:
        write(BY_NAME["cursor"], "{ broken")
        write(BY_NAME["codex"], "")
        run = CliRunner().invoke(cli, ["install"])
        assert run.exit_code == ending.PART
        assert "Cursor:" in run.stderr
        assert "[mcp_servers.memory]" in BY_NAME["codex"].file().read_text(encoding="utf-8")

    def test_a_secret_beside_our_entry_is_not_printed(self) -> None:
        secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3eF5"
        write(BY_NAME["cursor"], json.dumps({"token": secret}, indent=2))
        run = CliRunner().invoke(cli, ["install", "cursor", "--dry-run"])
        assert secret not in run.output

    def test_print_gives_the_entry_to_put_in_by_hand(self) -> None:
        run = CliRunner().invoke(cli, ["install", "opencode", "--print"])
        entry = json.loads(run.output[run.output.index("{") :])["mcp"]["memory"]
        assert entry["command"] == list(launch().argv)


class TestLaunch:
    def test_names_a_program_that_is_there_by_its_absolute_path(self) -> None:
        program = Path(launch().program)
        assert program.is_absolute()
        assert program.is_file()
        assert is_ours(launch().argv)

    def test_carries_the_banks_folder_to_hosts_that_do_not_see_our_environment(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MCP_MEMORY_HOME", str(home / "bank"))
        assert launch().environment == {"MCP_MEMORY_HOME": str(home / "bank")}

    def test_an_environment_that_is_thrown_away_is_not_written_into_settings(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "prefix", str(home / "uv" / "archive-v0" / "x"))
        with pytest.raises(InvalidInput, match="Install it for good"):
            launch()

    @pytest.mark.skipif(sys.platform == "win32", reason="a program is found by its suffix there")
    @pytest.mark.parametrize(
        ("tool", "cache", "said"),
        [
            ("uvx", "uv/archive-v0/x", ["--from"]),
            ("pipx", ".cache/pipx/x", ["run", "--spec"]),
        ],
    )
    def test_a_passing_environment_from_a_git_url_is_started_from_its_commit(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, tool: str, cache: str, said: list[str]
    ) -> None:
        program = home / tool
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(home))
        monkeypatch.setattr(sys, "prefix", str(home / cache))
        info = home / "site" / "mcp_memory_evidence-9.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Name: mcp-memory-evidence\nVersion: 9\n", encoding="utf-8")
        origin = {
            "url": "https://example.com/r.git",
            "vcs_info": {"vcs": "git", "commit_id": "a1b2"},
        }
        (info / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")
        monkeypatch.syspath_prepend(str(home / "site"))
        source = "git+https://example.com/r.git@a1b2"
        assert launch().argv == (str(program), *said, source, "mcp-memory", "serve")
        assert is_ours(launch().argv)

    @pytest.mark.parametrize(
        ("argv", "ours"),
        [
            (["C:\\env\\Scripts\\mcp-memory.exe", "serve"], True),
            (["/env/bin/python", "-P", "-m", "mcp_memory", "serve"], True),
            (["/bin/uvx", "--from", "git+https://h/r@abc", "mcp-memory", "serve"], True),
            (["npx", "-y", "@modelcontextprotocol/server-memory"], False),
            (["mcp-memory"], False),
            ([], False),
        ],
    )
    def test_ours_is_told_from_others(self, argv: list[str], ours: bool) -> None:  # noqa: FBT001
        assert is_ours(argv) is ours


class TestListing:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("memory: /e/mcp-memory serve - ✔ Connected", "connected"),
            ("\x1b[32m✓\x1b[0m memory: /e/mcp-memory serve (stdio) - Connected", "connected"),
            ("✗ memory: /e/mcp-memory serve - Disconnected", "failed"),
            ("Name  Command\nmemory  /e/mcp-memory  enabled", "listed"),
            ("my-memory: x - ✔ Connected", "missing"),
            ("", "missing"),
        ],
    )
    def test_is_read_as_it_is_written(self, text: str, said: str) -> None:
        assert read_listing(text, "memory") == said

    def test_a_host_without_a_command_is_not_asked(self) -> None:
        assert standing(BY_NAME["zed"], "memory") == "not asked"
        assert standing(BY_NAME["codex"], "memory") == "not asked"


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=6
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
blanks = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", " // c }\n", "/* , { */", "\n// é\n\n"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """An object, written with comments, odd spacing and trailing commas."""

    def shown(value: Any) -> str:
        space = lambda: draw(blanks)  # noqa: E731
        if isinstance(value, dict):
            rows = [
                f"{space()}{json.dumps(k)}{space()}:{space()}{shown(v)}{space()}"
                for k, v in value.items()
            ]
            comma = "," if rows and draw(st.booleans()) else ""
            return "{" + ",".join(rows) + comma + space() + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{space()}{shown(each)}{space()}" for each in value) + "]"
        return json.dumps(value)

    read = draw(st.dictionaries(names | st.just("servers"), values, max_size=4))
    if draw(st.booleans()):
        read["servers"] = draw(st.dictionaries(names, values, max_size=3))
    return draw(blanks) + shown(read) + draw(blanks)


class TestJsonWithComments:
    @given(documents(), names, st.dictionaries(names, values, max_size=3))
    def test_put_changes_one_value_and_drop_takes_it_out(
        self, text: str, name: str, value: Any
    ) -> None:
        read = jsonc.load(text)
        servers = read.get("servers", {})
        if not isinstance(servers, dict):
            with pytest.raises(ValueError, match="no object"):
                jsonc.put(text, ("servers", name), value)
            return
        after = jsonc.put(text, ("servers", name), value)
        assert jsonc.load(after) == {**read, "servers": {**servers, name: value}}
        assert jsonc.put(after, ("servers", name), value) == after
        left = jsonc.drop(after, ("servers", name))
        others = {key: each for key, each in servers.items() if key != name}
        assert jsonc.load(left) == {**read, "servers": others}
        if name not in servers:
            assert _comments(left) == _comments(text)

    @pytest.mark.parametrize(
        "text", ["{", "[}", '{"a" 1}', '{"a": 1 "b": 2}', "{} x", '{"a": tru}']
    )
    def test_what_is_not_json_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  every message is its own
            jsonc.put(text, ("a",), 1)

    def test_follows_the_indentation_and_line_ends_of_the_file(self) -> None:
        text = '{\r\n\t"a": {\r\n\t\t"b": 1 // keep\r\n\t}\r\n}\r\n'
        assert jsonc.put(text, ("a", "c"), {"d": 2}) == (
            '{\r\n\t"a": {\r\n\t\t"b": 1, // keep\r\n\t\t"c": {\r\n\t\t\t"d": 2\r\n\t\t}\r\n\t}\r\n}\r\n'
        )


def _comments(text: str) -> int:
    return text.count("// c }") + text.count("/* , { */") + text.count("// é")


class TestToml:
    def test_a_table_named_inside_a_string_is_not_taken_for_one(self) -> None:
        text = 'a = """\n[mcp_servers.memory]\ncommand = 1\n"""\n'
        after = toml_text.put(text, ("mcp_servers", "other"), {"command": "x"})
        assert tomllib.loads(after)["a"] == tomllib.loads(text)["a"]

    def test_a_value_is_changed_in_its_line_and_the_comments_around_stay(self) -> None:
        text = '[s.m] # mine\ncommand = "old"\n# why\nx = 1\n\n# next\n[t]\n'
        after = toml_text.put(text, ("s", "m"), {"command": "new", "args": ["é\x7f"]})
        assert tomllib.loads(after)["s"]["m"] == {"command": "new", "args": ["é\x7f"], "x": 1}
        assert after.replace('"new"', '"old"').replace('args = ["é\\u007f"]\n', "") == text
        assert toml_text.drop(text, ("s", "m")) == "# next\n[t]\n"

    def test_an_inline_table_is_refused_and_left(self) -> None:
        file = write(BY_NAME["codex"], "mcp_servers = { other = { command = 'x' } }\n")
        with pytest.raises(InvalidInput, match="safely"):
            plan_install(BY_NAME["codex"], LAUNCH)
        assert "memory" not in file.read_text(encoding="utf-8")


class TestYaml:
    @pytest.mark.parametrize("empty", ["extensions:", "extensions: {}  # none", "extensions: null"])
    def test_an_empty_mapping_is_filled(self, empty: str) -> None:
        after = yaml_text.put(f"a: 1\n{empty}\nb: 2\n", ("extensions", "m"), {"cmd": "no"})
        assert yaml.safe_load(after) == {"a": 1, "extensions": {"m": {"cmd": "no"}}, "b": 2}

    def test_a_mapping_in_one_line_is_refused(self) -> None:
        with pytest.raises(ValueError, match="one line"):
            yaml_text.put("extensions: {a: {b: 1}}\n", ("extensions", "m"), {"cmd": "x"})
