"""What a command line is for."""

import pytest

from mcp_memory.text import families, shell


@pytest.mark.parametrize(
    "line", ["rm a.go", "git -C x add y && git commit -m z", "mkdir -p a && cp b a && ls"]
)
def test_what_only_moves_files_runs_nothing(line: str) -> None:
    assert families.only_moves(shell.programs(line))


@pytest.mark.parametrize("line", ["python -m shop.export", "rm a && make test", "ls", ""])
def test_what_runs_anything_else_is_no_mere_move(line: str) -> None:
    assert not families.only_moves(shell.programs(line))
