"""Every host: nothing where it is not used, what it left where it is, and no way out by a link."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from mcp_memory import hosts
from mcp_memory.hosts import (
    claude_code,
    cline,
    codex,
    copilot_cli,
    cursor,
    gemini_cli,
    pi,
    places,
    vscode_copilot,
)

OVERRIDES = (
    "AIDER_CHAT_HISTORY_FILE",
    "APPDATA",
    "CLAUDE_CONFIG_DIR",
    "CLINE_DATA_DIR",
    "CLINE_DIR",
    "CLINE_SESSION_DATA_DIR",
    "CODEX_HOME",
    "COPILOT_HOME",
    "CURSOR_CONFIG_DIR",
    "GEMINI_CLI_HOME",
    "LOCALAPPDATA",
    "MSWEA_GLOBAL_CONFIG_DIR",
    "OPENHANDS_DIR",
    "PI_CODING_AGENT_DIR",
    "PI_CODING_AGENT_SESSION_DIR",
    "VSCODE_APPDATA",
    "VSCODE_PORTABLE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "AMP_DATA_HOME",
    "CONTINUE_GLOBAL_DIR",
    "CRUSH_GLOBAL_DATA",
    "FACTORY_HOME",
    "GOOSE_PATH_ROOT",
    "HERMES_HOME",
    "KIMI_SHARE_DIR",
    "KIRO_HOME",
    "OPENCLAW_STATE_DIR",
    "OPENHANDS_CONVERSATIONS_DIR",
    "QWEN_HOME",
    "QWEN_RUNTIME_DIR",
    "VIBE_HOME",
)
CODE, CURSOR = ".config/Code/User", ".config/Cursor/User"
TASK = "tasks/1/api_conversation_history.json"
LAYOUT = {
    "aider": ["shop/.aider.chat.history.md"],
    "claude_code": [
        ".claude/projects/-home-u-shop/a.jsonl",
        ".claude/projects/-home-u-shop/a/subagents/agent-b.jsonl",
        ".config/claude/projects/-home-u-shop/c.jsonl",
        ".config/Claude/local-agent-mode-sessions/o/a/local_1/.claude/projects/-s/d.jsonl",
    ],
    "cline": [
        f"{CODE}/globalStorage/saoudrizwan.claude-dev/{TASK}",
        f"{CODE}/globalStorage/rooveterinaryinc.roo-cline/{TASK}",
        f"{CODE}/globalStorage/kilocode.kilo-code/{TASK}",
        f".vscode-server/data/User/globalStorage/saoudrizwan.claude-dev/{TASK}",
        f".cline/data/{TASK}",
        ".cline/data/sessions/1/1.messages.json",
    ],
    "codex": [
        ".codex/sessions/2026/01/02/rollout-2026-01-02T03-04-05-a.jsonl",
        ".codex/archived_sessions/rollout-2026-01-01T03-04-05-b.jsonl",
        ".codex/sessions/2025/01/02/rollout-2025-01-02T03-04-05-c.jsonl.zst",
    ],
    "copilot_cli": [
        ".copilot/session-state/a/events.jsonl",
        ".copilot/session-state/b.jsonl",
        ".copilot/jb/c/partition-0.jsonl",
    ],
    "cursor": [
        f"{CURSOR}/globalStorage/state.vscdb",
        f"{CURSOR}/workspaceStorage/a/state.vscdb",
        ".cursor/projects/home-u-shop/agent-transcripts/a/a.jsonl",
        ".cursor/projects/home-u-shop/agent-transcripts/b.txt",
    ],
    "gemini_cli": [
        ".gemini/tmp/shop/chats/session-2026-01-02T03-04-a.json",
        ".gemini/tmp/shop/chats/session-2026-01-02T03-04-b.jsonl",
    ],
    "mini_swe_agent": [".config/mini-swe-agent/last_mini_run.traj.json"],
    "opencode": [
        ".local/share/opencode/opencode.db",
        ".local/share/opencode/storage/session/p/ses_a.json",
        ".local/share/opencode/project/p/storage/session/info/ses_b.json",
        ".local/share/kilo/kilo.db",
    ],
    "openhands": [
        ".openhands/sessions/a/trajectory.json",
        ".openhands/conversations/b/base_state.json",
        "shop/trajectories/a.json",
    ],
    "pi": [
        ".pi/agent/sessions/--home-u-shop--/2026_a.jsonl",
        ".omp/agent/sessions/--home-u-shop--/2026_b.jsonl",
        ".openclaw/agents/main/sessions/c.jsonl",
        ".openclaw/agents/main/sessions/d.jsonl.reset.2026-03-02T10-00-00.000Z",
    ],
    "specstory": ["shop/.specstory/history/2026-01-02_03-04-05Z.md"],
    "swe_agent": ["shop/trajectories/u/run/a.traj"],
    "vscode_copilot": [
        f"{CODE}/workspaceStorage/a/chatSessions/a.json",
        f"{CODE}/workspaceStorage/a/chatSessions/b.jsonl",
        f"{CODE}/globalStorage/emptyWindowChatSessions/c.json",
        f"{CODE}/workspaceStorage/a/GitHub.copilot-chat/transcripts/d.jsonl",
    ],
    "amp": [
        ".local/share/amp/threads/T-1.json",
        f"{CODE}/globalStorage/sourcegraph.amp/threads3/T-2.json",
    ],
    "antigravity": [
        ".gemini/antigravity/brain/a/.system_generated/logs/transcript.jsonl",
        ".gemini/antigravity-cli/brain/b/.system_generated/logs/transcript.jsonl",
    ],
    "continue_dev": [".continue/sessions/a.json"],
    "crush": ["shop/.crush/crush.db"],
    "factory_droid": [".factory/sessions/-home-u-shop/a.jsonl", ".factory/sessions/b.jsonl"],
    "goose": [
        ".local/share/goose/sessions/sessions.db",
        ".local/share/goose/sessions/20250301_1.jsonl",
    ],
    "hermes": [".hermes/state.db", ".hermes/profiles/a/state.db"],
    "kimi_cli": [".kimi/sessions/0123/a/context.jsonl", ".kimi/sessions/0123/a/context_1.jsonl"],
    "kiro_cli": [".kiro/sessions/cli/a.jsonl"],
    "mistral_vibe": [
        ".vibe/logs/session/session_1/messages.jsonl",
        ".vibe/logs/session/session_2.json",
    ],
    "qwen_code": [
        ".qwen/projects/-home-u-shop/chats/a.jsonl",
        ".qwen/tmp/0123/chats/session-b.json",
    ],
    "windsurf": [".windsurf/transcripts/a.jsonl"],
    "zed": [".local/share/zed/threads/threads.db"],
}
"""Host to where its documents say that transcripts lie, from the user's home on Linux."""
ELSEWHERE = {
    "aider": ("AIDER_CHAT_HISTORY_FILE", "shop/.aider.chat.history.md", ""),
    "claude_code": ("CLAUDE_CONFIG_DIR", ".claude", ""),
    "cline": ("CLINE_DIR", ".cline", ""),
    "codex": ("CODEX_HOME", ".codex", ""),
    "copilot_cli": ("COPILOT_HOME", ".copilot", ""),
    "cursor": ("CURSOR_CONFIG_DIR", ".cursor", ""),
    "gemini_cli": ("GEMINI_CLI_HOME", ".gemini", ".gemini"),
    "mini_swe_agent": ("MSWEA_GLOBAL_CONFIG_DIR", ".config/mini-swe-agent", ""),
    "opencode": ("XDG_DATA_HOME", ".local/share", ""),
    "openhands": ("OPENHANDS_DIR", ".openhands", ""),
    "pi": ("PI_CODING_AGENT_DIR", ".pi/agent", ""),
    "vscode_copilot": ("VSCODE_APPDATA", ".config", ""),
    "amp": ("AMP_DATA_HOME", ".local/share/amp", ""),
    "continue_dev": ("CONTINUE_GLOBAL_DIR", ".continue", ""),
    "factory_droid": ("FACTORY_HOME", ".factory", ""),
    "goose": ("XDG_DATA_HOME", ".local/share", ""),
    "hermes": ("HERMES_HOME", ".hermes", ""),
    "kimi_cli": ("KIMI_SHARE_DIR", ".kimi", ""),
    "kiro_cli": ("KIRO_HOME", ".kiro", ""),
    "mistral_vibe": ("VIBE_HOME", ".vibe", ""),
    "qwen_code": ("QWEN_HOME", ".qwen", ""),
    "zed": ("XDG_DATA_HOME", ".local/share", ""),
}
"""Host to the variable that moves it, what it moves, and the name that this has at the new place."""

LINKED = (
    ".claude/projects/-home-u-shop/a",
    f"{CODE}/globalStorage/saoudrizwan.claude-dev",
    ".cline/data/sessions/1",
    ".codex/sessions/2026",
    ".copilot/session-state/a",
    f"{CURSOR}/workspaceStorage/a",
    ".cursor/projects/home-u-shop/agent-transcripts",
    ".gemini/tmp/shop/chats",
    ".openhands/sessions/a",
    "shop/.specstory",
    "shop/trajectories/u",
    f"{CODE}/workspaceStorage/a/chatSessions",
)
"""Folders that a link could stand for."""

Plant = Callable[..., list[Path]]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own on Linux, the current folder a project in it."""
    user = tmp_path / "u"
    (user / "shop").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setattr("sys.platform", "linux")
    for name in OVERRIDES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(user / "shop")
    return user


@pytest.fixture
def plant(user: Path) -> Plant:
    def plant(*names: str) -> list[Path]:
        paths = [user / name for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}", encoding="utf-8")
        return paths

    return plant


every_host = pytest.mark.parametrize("host", hosts.HOSTS, ids=hosts.format_of)


def test_the_layout_of_every_host_is_written_down() -> None:
    assert [hosts.format_of(host) for host in hosts.HOSTS] == sorted(LAYOUT)
    assert all(isinstance(host.NAME, str) for host in hosts.HOSTS)
    assert all(host.RETENTION is None or timedelta() < host.RETENTION for host in hosts.HOSTS)


@every_host
@pytest.mark.parametrize("project", [None, "shop"])
def test_a_host_that_is_not_used_has_nothing(
    host: hosts.Host, project: str | None, user: Path
) -> None:
    assert list(host.transcripts(project and str(user / project))) == []
    shutil.rmtree(user / "shop")
    assert list(host.transcripts(str(user / "shop"))) == []


@every_host
def test_what_a_host_left_is_found_in_the_same_order_every_time(
    host: hosts.Host, plant: Plant
) -> None:
    planted = plant(*LAYOUT[hosts.format_of(host)])
    found = list(host.transcripts())
    assert sorted(found) == sorted(planted)
    assert list(host.transcripts()) == found


@every_host
def test_a_host_takes_only_what_is_its_own(host: hosts.Host, plant: Plant) -> None:
    plant(*(name for other, names in LAYOUT.items() for name in names))
    own = LAYOUT[hosts.format_of(host)]
    assert {path.as_posix()[-len(own[0]) :] for path in host.transcripts()} >= {own[0]}
    assert len(list(host.transcripts())) == len(own)


@every_host
def test_a_linked_file_is_not_followed(host: hosts.Host, plant: Plant, tmp_path: Path) -> None:
    planted = plant(*LAYOUT[hosts.format_of(host)])
    for path in planted:
        outside = tmp_path / "outside" / path.name
        outside.parent.mkdir(exist_ok=True)
        path.rename(outside)
        path.symlink_to(outside)
    assert list(host.transcripts()) == []


@pytest.mark.parametrize("linked", LINKED)
def test_a_linked_folder_is_not_entered(
    linked: str, plant: Plant, user: Path, tmp_path: Path
) -> None:
    name = next(name for name, names in LAYOUT.items() if any(n.startswith(linked) for n in names))
    host = next(host for host in hosts.HOSTS if hosts.format_of(host) == name)
    planted = plant(*LAYOUT[name])
    (user / linked).rename(tmp_path / "outside")
    (user / linked).symlink_to(tmp_path / "outside")
    assert all(path.is_file() for path in planted)
    assert sorted(host.transcripts()) == sorted(
        path for path in planted if not path.is_relative_to(user / linked)
    )


def test_a_project_that_its_user_linked_to_another_disk_is_read_once(
    plant: Plant, user: Path, tmp_path: Path
) -> None:
    (planted,) = plant(".claude/projects/-home-u-shop/a.jsonl")
    (tmp_path / "outside").mkdir()
    (tmp_path / "secret").mkdir()
    planted.parent.rename(tmp_path / "outside" / "shop")
    planted.parent.symlink_to(tmp_path / "outside" / "shop", target_is_directory=True)
    (user / ".claude/projects/-again").symlink_to(planted.parent, target_is_directory=True)
    (user / ".claude/projects/-up").symlink_to(user, target_is_directory=True)
    (user / ".claude/projects/-torn").symlink_to(tmp_path / "nothing")
    (planted.parent / "inner").symlink_to(tmp_path / "secret", target_is_directory=True)
    (tmp_path / "secret" / "b.jsonl").write_text("{}", encoding="utf-8")
    assert [path.name for path in claude_code.transcripts()] == ["a.jsonl"]


def test_several_homes_of_one_host_are_named_with_commas(
    plant: Plant, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant("one/projects/-a/a.jsonl", "two/projects/-b/b.jsonl")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{user / 'one'}, {user / 'two'}")
    assert list(claude_code.transcripts()) == planted


def test_a_workflows_journal_is_no_transcript(plant: Plant) -> None:
    flow = ".claude/projects/-home-u-shop/a/subagents/workflows/wf_1"
    agent, _ = plant(f"{flow}/agent-b.jsonl", f"{flow}/journal.jsonl")
    assert list(claude_code.transcripts()) == [agent]


@every_host
def test_a_folder_named_as_a_transcript_is_none(host: hosts.Host, user: Path) -> None:
    for name in LAYOUT[hosts.format_of(host)]:
        (user / name).mkdir(parents=True)
    assert list(host.transcripts()) == []


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_environment_moves_a_host(
    name: str, plant: Plant, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = next(host for host in hosts.HOSTS if hosts.format_of(host) == name)
    variable, moved, called = ELSEWHERE[name]
    planted = plant(*(n for n in LAYOUT[name] if n == moved or n.startswith(f"{moved}/")))
    new = tmp_path / "elsewhere"
    (new / called).parent.mkdir(parents=True, exist_ok=True)
    (user / moved).rename(new / called)
    assert list(host.transcripts()) == []
    monkeypatch.setenv(variable, str(new))
    expected = [new / called / path.relative_to(user / moved) for path in planted]
    assert sorted(host.transcripts()) == sorted(expected)


def test_only_the_projects_folders_are_named_where_they_tell(plant: Plant, user: Path) -> None:
    project = str(user / "shop")
    slug = project.replace("/", "-").replace("_", "-")
    mine = plant(
        f".claude/projects/{slug}/a.jsonl",
        f".claude/projects/{slug}-api/b.jsonl",
        f".cursor/projects/{slug.lstrip('-')}/agent-transcripts/a.jsonl",
        ".cursor/projects/1771021702762/agent-transcripts/a.jsonl",
        f".gemini/tmp/{hashlib.sha256(project.encode()).hexdigest()}/chats/a.json",
        ".gemini/tmp/shop/chats/a.json",
        f".pi/agent/sessions/-{project.replace('/', '-')}--/a.jsonl",
        f"{CODE}/workspaceStorage/mine/chatSessions/a.json",
        f"{CODE}/workspaceStorage/untold/chatSessions/a.json",
        f"{CURSOR}/workspaceStorage/mine/state.vscdb",
    )
    other = plant(
        ".claude/projects/-srv-other/a.jsonl",
        ".cursor/projects/srv-other/agent-transcripts/a.jsonl",
        f".gemini/tmp/{'0' * 64}/chats/a.json",
        ".gemini/tmp/other/chats/a.json",
        ".pi/agent/sessions/--srv-other--/a.jsonl",
        f"{CODE}/workspaceStorage/other/chatSessions/a.json",
        f"{CURSOR}/workspaceStorage/other/state.vscdb",
    )
    for editor in (CODE, CURSOR):
        for folder, path in (("mine", project), ("other", "/srv/other")):
            told = user / editor / "workspaceStorage" / folder / "workspace.json"
            told.write_text(f'{{"folder": "file://{path}"}}', encoding="utf-8")
    (user / ".gemini/tmp/shop/.project_root").write_text(f"{project}\n", encoding="utf-8")
    (user / ".gemini/tmp/other/.project_root").write_text("/srv/other", encoding="utf-8")
    telling = (claude_code, cursor, gemini_cli, pi, vscode_copilot)
    assert {path for host in telling for path in host.transcripts(project)} == set(mine)
    assert {p for host in telling for p in host.transcripts()} == {*mine, *other}


def test_a_circle_of_links_ends(plant: Plant, user: Path) -> None:
    (path,) = plant(".codex/sessions/2026/01/02/rollout-a.jsonl")
    (path.parent / "again").symlink_to(user / ".codex" / "sessions")
    assert list(codex.transcripts()) == [path]


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ("", timedelta(days=30)),
        ("not JSON", timedelta(days=30)),
        ("[]", timedelta(days=30)),
        ('{"cleanupPeriodDays": 90}', timedelta(days=90)),
        ('{"cleanupPeriodDays": "90"}', timedelta(days=30)),
        ('{"cleanupPeriodDays": true}', timedelta(days=30)),
        ('{"cleanupPeriodDays": -1}', timedelta(days=30)),
        ('{"cleanupPeriodDays": 99999999999}', None),
    ],
)
def test_claude_code_keeps_transcripts_as_its_user_says(
    user: Path, settings: str, kept: timedelta | None
) -> None:
    (user / ".claude").mkdir()
    (user / ".claude" / "settings.json").write_text(settings, encoding="utf-8")
    assert hosts.retention(claude_code) == kept


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("{}", timedelta(days=30)),
        ("7", timedelta(days=30)),
        ('{"enabled": false}', None),
        ('{"enabled": true, "maxAge": "2w"}', timedelta(days=14)),
        ('{"maxAge": "24h"}', timedelta(hours=24)),
        ('{"maxAge": "soon"}', timedelta(days=30)),
    ],
)
def test_gemini_cli_keeps_chats_as_its_user_says(
    user: Path, told: str, kept: timedelta | None
) -> None:
    (user / ".gemini").mkdir()
    settings = f'{{"general": {{"sessionRetention": {told}}}}}'
    (user / ".gemini" / "settings.json").write_text(settings, encoding="utf-8")
    assert hosts.retention(gemini_cli) == kept


def test_other_hosts_keep_what_they_write() -> None:
    assert hosts.retention(codex) is None


def test_histories_of_prompts_are_found(plant: Plant) -> None:
    assert list(hosts.prompts()) == []
    planted = plant(".claude/history.jsonl", ".codex/history.jsonl")
    assert list(hosts.prompts()) == planted


@pytest.mark.parametrize(
    ("platform", "told", "folder"),
    [
        ("linux", {}, PurePosixPath("/home/u/.config")),
        ("linux", {"XDG_CONFIG_HOME": "/data/u"}, PurePosixPath("/data/u")),
        ("darwin", {}, PurePosixPath("/home/u/Library/Application Support")),
        ("darwin", {"XDG_CONFIG_HOME": "/x"}, PurePosixPath("/home/u/Library/Application Support")),
        ("win32", {}, PureWindowsPath(r"C:\Users\u\AppData\Roaming")),
        ("win32", {"APPDATA": r"D:\Roaming"}, PureWindowsPath(r"D:\Roaming")),
    ],
)
def test_programs_keep_their_data_where_the_platform_says(
    platform: str, told: dict[str, str], folder: PurePosixPath | PureWindowsPath
) -> None:
    if isinstance(folder, PureWindowsPath):
        assert places.application_data(PureWindowsPath(r"C:\Users\u"), platform, told) == folder
        return
    assert places.application_data(PurePosixPath("/home/u"), platform, told) == folder


def test_what_stays_on_one_machine_has_a_folder_of_its_own_on_windows() -> None:
    user = PureWindowsPath(r"C:\Users\u")
    assert places.local_data(user, "win32", {}) == user / "AppData" / "Local"
    assert places.local_data(user, "win32", {"LOCALAPPDATA": r"D:\L"}) == PureWindowsPath(r"D:\L")
    assert places.local_data(PurePosixPath("/u"), "linux", {}) == PurePosixPath("/u/.config")


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file:///home/u/my%20shop", PurePosixPath("/home/u/my shop")),
        ("file:///c%3A/Users/u/shop", PureWindowsPath(r"C:\Users\u\shop")),
        ("vscode-remote://ssh-remote%2Bbox/home/u/shop", None),
        ("file://[bad", None),
        ("", None),
    ],
)
def test_an_address_names_a_folder_of_its_own_platform(
    uri: str, folder: PurePosixPath | PureWindowsPath | None
) -> None:
    assert places.folder_of(uri) == folder


def test_a_folder_is_the_projects_as_its_platform_compares() -> None:
    assert places.within("c:\\users\\u\\shop\\api", r"C:\Users\u\shop")
    assert places.within("/home/u/shop", "/home/u/shop")
    assert not places.within("/home/u/Shop", "/home/u/shop")
    assert not places.within("/home/u/shopping", "/home/u/shop")
    assert not places.within("c:\\shop", "/shop")


def test_a_worktree_elsewhere_is_the_projects(user: Path) -> None:
    gitdir = user / "shop" / ".git" / "worktrees" / "fix"
    gitdir.mkdir(parents=True)
    (user / "fix").mkdir()
    (user / "fix" / ".git").write_text(f"gitdir: {gitdir}\n", encoding="utf-8")
    assert places.within(str(user / "fix"), str(user / "shop"))


def test_only_the_projects_sessions_are_named_where_they_tell(plant: Plant, user: Path) -> None:
    project = str(user / "shop")
    kinds = ("mine", "other", "untold")
    rollouts = plant(*(f".codex/sessions/rollout-{kind}.jsonl" for kind in kinds))
    events = plant(*(f".copilot/session-state/{kind}/events.jsonl" for kind in kinds))
    messages = plant(*(f".cline/data/sessions/{kind}/{kind}.messages.json" for kind in kinds))
    for place, cwd in enumerate((f"{project}/api", "/srv/other")):
        meta = {"type": "session_meta", "payload": {"cwd": cwd}}
        rollouts[place].write_text(json.dumps(meta) + "\n{}", encoding="utf-8")
        told = events[place].with_name("workspace.yaml")
        told.write_text(f"id: a\ncwd: {cwd}\n", encoding="utf-8")
        session = messages[place].with_name(f"{kinds[place]}.json")
        session.write_text(json.dumps({"cwd": cwd}), encoding="utf-8")
    for host, (mine, other, untold) in (
        (codex, rollouts),
        (copilot_cli, events),
        (cline, messages),
    ):
        assert list(host.transcripts(project)) == [mine, untold]
        assert list(host.transcripts()) == [mine, other, untold]
