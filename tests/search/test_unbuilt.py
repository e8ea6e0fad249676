"""A name that a design spells and no code holds is told to be in no code; one that is built is not."""

from pathlib import Path

import pytest
from steps import edited, ran, read, said, wrote
from transcripts import talked

from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Step
from mcp_memory.search import unbuilt
from mcp_memory.server.answers import as_text
from mcp_memory.settings import Settings

NAME = "heronNestSuffix"


@pytest.mark.parametrize(
    ("step", "built"),
    [
        (edited(1, "/r/nest.go", "x", f"{NAME} := 1"), True),
        (edited(1, "/r/nest.go", f"{NAME} := 1", "x"), True),
        (edited(1, "/r/docs/nest.md", "x", f"a field `{NAME}`"), False),
        (wrote(1, "/r/plan.rst", f"1. add {NAME}"), False),
        (wrote(1, "/r/CMakeLists.txt", f"add_library({NAME})"), True),
        (read(1, "/home/tool-results/b7.txt", f"+func {NAME}() {{"), True),
        (read(1, "/r/nest.go", f"3: {NAME} int"), True),
        (read(1, "/r/README.md", f"`{NAME}` is an int"), False),
        (ran(1, "go build ./...", f"nest.go:3: undefined: {NAME}", 1), True),
        (ran(1, f"grep -rn {NAME} .", ""), False),
        (ran(1, f"grep -rn {NAME} .", f"docs/nest.md:3: a field {NAME}"), False),
        (ran(1, f"grep -rn {NAME} .", f"nest.go:3: {NAME} int"), True),
        (ran(1, "cat docs/nest.md", f"a field {NAME}"), False),
        (ran(1, f"{NAME}=1 go test ./...", "ok"), True),
        (ran(1, f"git commit -m 'Propose {NAME}'", "1 file changed"), False),
        (said(1, f"We could add {NAME}."), False),
    ],
)
def test_code_is_what_was_written_read_or_run_and_no_document(
    step: Step,
    built: bool,  # noqa: FBT001 a case of the table
) -> None:
    assert unbuilt.in_code(step, NAME) is built


def test_names_are_told_from_words_by_how_code_spells_them() -> None:
    asked = f"where is {NAME}, max_nest_size or MaxNest kept, not in the Nest of NASA or x_ or heron_nest.go"
    assert unbuilt.spelled("docs/heron_nest and heron_nest/a") == []
    assert unbuilt.spelled(asked) == [NAME, "max_nest_size", "MaxNest"]


def called(tool: str, **given: str) -> list[dict[str, object]]:
    return [{"type": "tool_use", "id": "c1", "name": tool, "input": given}]


def returned(text: str) -> list[dict[str, object]]:
    return [{"type": "tool_result", "tool_use_id": "c1", "content": text}]


DESIGN = (
    ("user", "Branches of the heron nest clash. How would you number them?"),
    ("assistant", f"Each session gets a running number, kept in {NAME} of the session state."),
    ("user", "Write that down."),
    ("assistant", called("Write", file_path="/r/docs/nest.md", content=f"`{NAME}`: the number.")),
    ("user", returned("File created")),
)
OTHER = (
    ("user", "Which file holds the session state of the heron nest?"),
    ("assistant", called("Read", file_path="/r/nest/state.go")),
    (
        "user",
        returned("3: type State struct {\n4: BaseCommit string // of the heron nest session\n"),
    ),
)
BUILT = (
    ("user", "Build the running number of the heron nest."),
    ("assistant", called("Edit", file_path="/r/nest/state.go", old_string="}",
                         new_string=f"{NAME} int // running number of the heron nest\n}}")),
    ("user", returned("The file has been updated")),
)  # fmt: skip


@pytest.mark.parametrize(
    "spelled", [f"is {NAME} a field of the session state", "heron nest suffix session state"]
)
async def test_a_search_says_that_a_name_of_a_design_is_in_no_code_until_it_is_built(
    settings: Settings, tmp_path: Path, spelled: str
) -> None:
    cwd = tmp_path / "nest"
    (cwd / ".git").mkdir(parents=True)
    asked = Query(texts=(spelled, "session state of the heron nest"), reworded=True)
    async with open_bank(settings, cwd=str(cwd)) as bank:
        await bank.index([talked(tmp_path / "a.jsonl", cwd, DESIGN)])
        assert not (await bank.search(asked)).in_no_code, "talk alone says nothing of code"
        await bank.index([talked(tmp_path / "b.jsonl", cwd, OTHER)])
        found = await bank.search(asked)
        assert found.in_no_code == (NAME,)
        assert f"Only talked of, in no code here: {NAME}" in as_text(found)
        await bank.index([talked(tmp_path / "c.jsonl", cwd, BUILT)])
        assert not (await bank.search(asked)).in_no_code
