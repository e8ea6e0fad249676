"""The archive: atomic, inside its root, for the user alone, and nothing rewritten in vain."""

import errno
import os
from pathlib import Path

import pytest

from mcp_memory.archive.files import INDEXES, MEMORIES, SESSION_FILES, Archive
from mcp_memory.domain.errors import OutsideRoot, StoreFull
from mcp_memory.domain.models import Step, Trajectory
from mcp_memory.trajectories import rendering
from mcp_memory.trajectories.naming import project_folder
from mcp_memory.trajectories.rendering import Files

PROJECT = "/home/u/app"
posix = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


def made(text: str = "hi", id_: str = "0" * 12) -> Files:
    steps = tuple(Step(number=n, kind="user", text=f"{text} {n}") for n in (1, 2, 3))
    trajectory = Trajectory(id=id_, format="test", native_id=id_, goal="Mend it", steps=steps)
    folder = rendering.session_folder(PROJECT, trajectory)
    return rendering.render(trajectory, (), folder=folder, step_chars=500)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def folder(archive: Archive) -> str:
    files = made()
    archive.write_session(files.entry.folder, files)
    return files.entry.folder


def test_a_step_is_found_at_its_line(archive: Archive, folder: str) -> None:
    file, _, line = archive.path_of(folder, 2).rpartition(":")
    assert '"text":"hi 2"' in Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_unchanged_files_are_not_rewritten(archive: Archive, folder: str) -> None:
    file = archive.root / folder / "steps.jsonl"
    before = file.stat()
    assert not archive.write_session(folder, made())
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert archive.write_session(folder, made("changed"))


def test_indexes_are_written_with_the_readme(archive: Archive, folder: str) -> None:
    archive.write_indexes({PROJECT: [made().entry]})
    archive.write_projects()
    archive.write_readme()
    names = {path.name for path in (archive.root / project_folder(PROJECT)).glob("*.md")}
    assert names == set(INDEXES)
    projects = (archive.root / "PROJECTS.md").read_text(encoding="utf-8")
    assert f"- {project_folder(PROJECT)} | {PROJECT} | " in projects
    assert (archive.root / "README.md").read_text(encoding="utf-8").startswith("# Past sessions")
    assert not archive.write_project(PROJECT, [made().entry])


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../x",
        "/etc/x",
        "a",
        "a/b/c",
        "C:/x",
        "C:\\x/y",
        "..\\x/y",
        "a/b\\c",
    ],
)
def test_no_folder_leaves_the_archive(archive: Archive, folder: str, hostile: str) -> None:
    for act in (archive.remove_session, lambda name: archive.write_session(name, made())):
        with pytest.raises(OutsideRoot):
            act(hostile)
    assert archive.folders() == {folder}


@posix
def test_a_link_is_never_followed_out(archive: Archive, folder: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (archive.root / "evil").symlink_to(outside)
    with pytest.raises(OutsideRoot):
        archive.write_session("evil/session", made())
    assert archive.folders() == {folder}
    assert list(outside.iterdir()) == []


@posix
def test_a_linked_file_is_replaced_not_written_through(
    archive: Archive, folder: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_bytes(made().steps)
    file = archive.root / folder / "steps.jsonl"
    file.unlink()
    file.symlink_to(target)
    assert archive.write_session(folder, made())
    assert not file.is_symlink()
    assert target.read_bytes() == made().steps


@posix
def test_files_are_for_the_user_alone(archive: Archive, folder: str) -> None:
    place = archive.root / folder
    modes = [path.stat().st_mode & 0o777 for path in (archive.root, place.parent, place)]
    assert modes == [0o700] * 3
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}


def test_what_a_kill_left_is_swept_and_what_is_being_written_is_not(
    archive: Archive, folder: str
) -> None:
    old, young = (archive.root / folder / f".mcp-memory-{name}" for name in ("old", "young"))
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (1, 1))
    archive.sweep({project_folder(PROJECT)})
    assert (old.exists(), young.exists()) == (False, True)


def test_a_project_without_sessions_loses_its_indexes_only(archive: Archive, folder: str) -> None:
    archive.write_indexes({PROJECT: [made().entry]})
    archive.remove_session(folder)
    notes = archive.root / "notes"
    notes.mkdir()
    (notes / "mine.md").write_text("kept", encoding="utf-8")
    archive.write_indexes({PROJECT: []})
    archive.write_projects()
    assert sorted(path.name for path in archive.root.iterdir()) == ["PROJECTS.md", "notes"]
    assert PROJECT not in (archive.root / "PROJECTS.md").read_text(encoding="utf-8")
    assert (notes / "mine.md").exists()


def test_a_removed_session_is_gone_and_the_others_stay(archive: Archive, folder: str) -> None:
    other = made(id_="1" * 12)
    archive.write_session(other.entry.folder, other)
    assert archive.folder_of("1" * 12) == other.entry.folder
    assert archive.orphans([folder]) == (other.entry.folder,)
    assert archive.remove_session(folder)
    assert not archive.remove_session(folder)
    assert archive.folders() == {other.entry.folder}


def test_a_full_disk_leaves_the_older_file_whole(
    archive: Archive, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Path, _target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(StoreFull):
            archive.write_session(folder, made("changed"))
    place = archive.root / folder
    assert (place / "steps.jsonl").read_bytes() == made().steps
    assert {path.name for path in place.iterdir()} == set(SESSION_FILES)


def test_only_the_projects_named_are_written_and_the_list_has_all(archive: Archive) -> None:
    other = "/home/u/other"
    archive.write_indexes({PROJECT: [made().entry]})
    index = archive.root / project_folder(PROJECT) / "INDEX.md"
    index.write_text("# by hand\n\nx\n", encoding="utf-8")
    archive.write_indexes({other: [made(id_="1" * 12).entry]})
    archive.write_projects()
    assert index.read_text(encoding="utf-8").startswith("# by hand")
    listed = (archive.root / "PROJECTS.md").read_text(encoding="utf-8").splitlines()[2:]
    assert listed == sorted(listed)
    assert len(listed) == 2


def test_memories_of_a_project_and_of_the_user_have_their_places(archive: Archive) -> None:
    archive.write_memories({PROJECT: "# one\n", "user": "# mine\n"})
    place = archive.root / project_folder(PROJECT) / MEMORIES
    assert place.read_text(encoding="utf-8") == "# one\n"
    assert (archive.root / MEMORIES).read_text(encoding="utf-8") == "# mine\n"
    archive.write_memories({PROJECT: "", "user": ""})
    assert list(archive.root.iterdir()) == []


def test_a_session_without_one_of_its_files_is_known_to_lack_it(
    archive: Archive, folder: str
) -> None:
    assert not archive.lacks(folder)
    (archive.root / folder / "prose.md").unlink()
    assert archive.lacks(folder)
