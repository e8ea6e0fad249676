"""Projects: one identity for all the folders and spellings of a repository."""

from pathlib import Path

import pytest

from mcp_memory.domain import identities, projects, remotes
from mcp_memory.domain.identities import Identities
from mcp_memory.domain.projects import project_of
from mcp_memory.domain.remotes import normal

WINDOWS = r"C:\Users\ada\shop"
SHOP = "/nowhere/ada/shop"


@pytest.mark.parametrize(
    ("spelling", "project"),
    [
        (r"c:\Users\ada\shop", WINDOWS),
        ("C:/Users/ada/shop/", WINDOWS),
        ("/c:/Users/ada/shop", WINDOWS),
        ("file:///c%3A/Users/ada/shop", WINDOWS),
        ("vscode-remote://ssh-remote+box/c:/Users/ada/shop", WINDOWS),
        ("/mnt/c/Users/ada/shop", WINDOWS),
        ("/c/Users/ada/shop", WINDOWS),
        (r"C:\Users\ada\shop\shop.code-workspace", WINDOWS),
        (r"C:\Users\ada\shop\.claude\worktrees\brave-fox", WINDOWS),
        (r"\\wsl$\Ubuntu\nowhere\ada\shop", SHOP),
        (r"\\wsl.localhost\Ubuntu-22.04\nowhere\ada\shop", SHOP),
        ("vscode-remote://ssh-remote+box/nowhere/ada/shop", SHOP),
        ("vscode-remote://wsl%2Bubuntu/nowhere/ada/shop", SHOP),
        ("file:///nowhere/ada/shop/", SHOP),
        ("/nowhere/ada/shop/a.code-workspace", SHOP),
        ("/nowhere/ada/shop/.claude/worktrees/brave-fox/src", SHOP),
        (".", projects.UNKNOWN),
        ("", projects.UNKNOWN),
        (None, projects.UNKNOWN),
    ],
)
def test_every_spelling_of_a_folder_is_one_project(spelling: str | None, project: str) -> None:
    assert project_of(spelling) == project


def test_a_windows_path_is_not_looked_for_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert project_of(r"D:\work\till") == r"D:\work\till"
    assert project_of("till") == "till"


def repository(place: Path, url: str = "") -> Path:
    (place / ".git").mkdir(parents=True)
    (place / ".git" / "config").write_text(
        f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n' if url else "", "utf-8"
    )
    return place


def worktree(place: Path, of: Path) -> Path:
    place.mkdir(parents=True)
    told = of / ".git" / "worktrees" / place.name
    told.mkdir(parents=True)
    (place / ".git").write_text(f"gitdir: {told}\n", "utf-8")
    return place


def test_a_worktree_that_is_gone_is_told_by_those_beside_it(tmp_path: Path) -> None:
    shop = repository(tmp_path / "shop")
    worktree(tmp_path / "shop-worktrees" / "fix-a", shop)
    assert project_of(str(tmp_path / "shop-worktrees" / "fix-b" / "src")) == str(shop)


def test_a_worktree_that_is_gone_is_told_by_the_repository_that_remembers_it(
    tmp_path: Path,
) -> None:
    shop = repository(tmp_path / "shop")
    told = shop / ".git" / "worktrees" / "x"
    told.mkdir(parents=True)
    gone = tmp_path / "aside" / "x"
    gone.parent.mkdir()
    (told / "gitdir").write_text(f"{gone}/.git\n", "utf-8")
    assert project_of(str(gone)) == str(shop)


def test_a_folder_that_is_gone_is_not_given_to_a_repository_that_happens_to_lie_beside(
    tmp_path: Path,
) -> None:
    repository(tmp_path / "shop")
    worktree(tmp_path / "wood" / "oak", repository(tmp_path / "wharf"))
    for gone in (tmp_path / "till", tmp_path / "wood" / "elm"):
        assert project_of(str(gone)) == str(gone)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/ada/shop.git",
        "https://token:x@GitHub.com/Ada/Shop/",
        "git@github.com:ada/shop.git",
        "ssh://git@github.com:22/ada/shop",
        "git://github.com/ada/shop.git",
    ],
)
def test_a_remote_is_one_however_it_is_written(url: str, tmp_path: Path) -> None:
    assert normal(url) == "github.com/ada/shop"
    assert remotes.remote_of(str(repository(tmp_path / "r", url))) == "github.com/ada/shop"


@pytest.mark.parametrize(
    "url", ["../shop", "/srv/git/shop.git", "C:/git/shop", "file:///srv/x", ""]
)
def test_a_local_folder_is_no_remote(url: str) -> None:
    assert normal(url) == ""


def test_clones_of_one_remote_are_one_project_and_a_repository_stands_for_all(
    tmp_path: Path,
) -> None:
    here = str(repository(tmp_path / "shop"))
    told = Identities()
    for folder in ("/gone/worktrees/1a2b/shop", "/elsewhere/shop", here, "/later/shop"):
        told = told.learned(folder, "github.com/ada/shop")
    for folder in ("/gone/worktrees/1a2b/shop", "/elsewhere/shop", here, "/later/shop"):
        assert told.named(folder) == here
    assert told.asked("github.com/ada/shop") == here
    assert told.named("/other/shop") == "/other/shop"


def test_windows_knows_no_case() -> None:
    told = Identities().learned(WINDOWS, "")
    assert told.named(r"C:\users\ADA\shop") == WINDOWS


def test_names_that_go_in_circles_end() -> None:
    told = Identities().merged("/a", "/b").merged("/b", "/c").renamed("/c", "/a")
    assert told.named("/b") == told.named("/c") == told.named("/a") == "/a"


def test_what_is_known_is_kept_whole(tmp_path: Path) -> None:
    told = Identities().learned("/a", "host/x").merged("/b", "/a")
    identities.write(tmp_path, told)
    assert identities.read(tmp_path) == told
    (tmp_path / identities.FILE).write_text("{", "utf-8")
    assert identities.read(tmp_path) == Identities()


def test_a_folder_is_found_by_its_hash() -> None:
    hashed = "sha256:07d23e1ebf0f4ee10ad8f3c1bd5ceb2f3ef5a8d2d8f0a2ed2a7c0a7c3d7c8c11"
    assert Identities().unhashed([hashed, "/a"]).named(hashed) == hashed


def test_a_name_that_may_be_several_names_them_with_their_sizes() -> None:
    sizes = {"/a/shop": 3, "/b/shop": 12, "/a/till": 1}
    assert projects.resolve("till", sizes) == "/a/till"
    assert projects.resolve("b/shop", sizes) == "/b/shop"
    assert projects.resolve("shop", sizes) is None
    told = projects.ambiguity("shop", sizes)
    assert told.index("/b/shop (12 sessions)") < told.index("/a/shop (3 sessions)")
    assert projects.ambiguity("till", sizes) == ""


def test_of_several_the_one_answers_that_the_caller_stands_in_else_all() -> None:
    sizes = {"/a/shop": 3, "/b/shop": 12, "/a/till": 1}
    assert projects.answering("till", sizes, "/a/shop") == (("/a/till",), "")
    assert projects.answering("stall", sizes, "/a/shop") == ((), "")
    here, told = projects.answering("shop", sizes, "/a/shop")
    assert here == ("/a/shop",)
    assert "/a/shop was asked" in told
    every, told = projects.answering("shop", sizes, "/a/till")
    assert set(every) == {"/a/shop", "/b/shop"}
    assert "all were asked" in told


def test_a_note_of_an_answer_is_short_and_names_the_largest() -> None:
    sizes = {f"/{n}/shop": n for n in range(12)}
    told = projects.answering("shop", sizes, "/")[1]
    assert told == "'shop' names 12 projects; all were asked, /11/shop the largest."
