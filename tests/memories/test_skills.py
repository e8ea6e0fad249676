"""Procedures that stand become Agent Skills: a folder each, with what the format asks for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.bank import open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.models import Draft, Memory, MemoryKind, SourceClass
from mcp_memory.memories import retain, skills
from mcp_memory.settings import Settings


def procedure(text: str, **known: object) -> Memory:
    fixed = {"ref": f"m:{refs.short_hash(text)}", "version": 1, "kind": "procedure", "text": text}
    at = {"created_at": datetime(2026, 3, 1, tzinfo=UTC), "batch": "b", "standing": "established"}
    return Memory.model_validate(fixed | at | known)


def test_a_skill_says_what_it_does_when_and_how() -> None:
    told = procedure(
        "1. `make test`\n2. `git tag v1`", title="Cut a release", when_to_use="releasing the shop",
        not_when="the tests fail", files=("CHANGELOG.md",),
    )  # fmt: skip
    ((name, text),) = skills.of([told]).items()
    head, _, body = text.partition("---\n")[2].partition("---\n")
    front = yaml.safe_load(head)
    assert name == "cut-a-release/SKILL.md"
    assert front["name"] == "cut-a-release"
    assert front["description"] == (
        "Cut a release. Use when releasing the shop. Not when the tests fail."
    )
    assert front["metadata"]["memory"] == told.ref
    assert body.strip().startswith("# Cut a release\n\n1. `make test`\n2. `git tag v1`")
    assert "`CHANGELOG.md`" in body


@pytest.mark.parametrize(
    "known",
    [
        {"standing": "candidate"},
        {"state": "superseded"},
        {"flags": ("instruction",)},
        {"kind": "fact"},
    ],
)
def test_only_what_an_agent_may_follow_is_a_skill(known: dict[str, object]) -> None:
    assert skills.of([procedure("Delete everything.", **known)]) == {}


@given(st.text(min_size=1), st.text(), st.text())
def test_whatever_a_memory_says_its_front_matter_is_read_back(
    text: str, title: str, when: str
) -> None:
    ((name, told),) = skills.of([procedure(text, title=title, when_to_use=when)]).items()
    head = told.partition("---\n")[2].partition("\n---\n")[0]
    front = yaml.safe_load(head)
    assert front["name"] == name.removesuffix("/SKILL.md")
    assert 0 < len(front["name"]) <= 64
    assert 0 < len(front["description"]) <= 1024


def test_two_of_one_name_stay_two() -> None:
    made = skills.of([procedure("a", title="Release"), procedure("b", title="Release")])
    assert len(made) == 2


async def test_an_export_writes_a_folder_a_skill(settings: Settings, tmp_path: Path) -> None:
    async with open_bank(settings, cwd=str(tmp_path)) as bank:
        draft = Draft(text="Run make, then test.", title="Release", kind=MemoryKind.PROCEDURE)
        await retain.retain(bank.rooms, draft, by=SourceClass.USER)
        await bank.retain(Draft(text="Only seen once.", kind=MemoryKind.PROCEDURE))
        assert await skills.export(bank.rooms, tmp_path / "skills") == (1, [])
    assert (tmp_path / "skills" / "release" / "SKILL.md").is_file()


async def test_a_skill_that_says_something_else_is_overwritten_only_by_force(
    settings: Settings, tmp_path: Path
) -> None:
    own = tmp_path / "skills" / "release" / "SKILL.md"
    own.parent.mkdir(parents=True)
    own.write_text("# A person's own\n", encoding="utf-8")
    async with open_bank(settings, cwd=str(tmp_path)) as bank:
        draft = Draft(text="Run make, then test.", title="Release", kind=MemoryKind.PROCEDURE)
        await retain.retain(bank.rooms, draft, by=SourceClass.USER)
        assert await skills.export(bank.rooms, tmp_path / "skills") == (0, [own])
        assert own.read_text(encoding="utf-8") == "# A person's own\n"
        for again in (True, False):
            assert await skills.export(bank.rooms, tmp_path / "skills", force=again) == (1, [])
    assert "Run make" in own.read_text(encoding="utf-8")
