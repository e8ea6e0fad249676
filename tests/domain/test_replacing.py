"""A file is put in place whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from mcp_memory.domain.replacing import FRESH, replace


def test_the_new_content_takes_the_place_of_the_former_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    file.write_bytes(b"former")
    file.chmod(0o644)
    replace(file, b"new")
    assert file.read_bytes() == b"new"
    assert os.name == "nt" or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["note.json"]


def test_what_cannot_be_put_in_place_leaves_the_former_whole_and_nothing_beside_it(
    tmp_path: Path,
) -> None:
    taken = tmp_path / "a-folder"
    (taken / "held").mkdir(parents=True)
    with pytest.raises(OSError, match="a-folder"):
        replace(taken, b"new")
    assert (taken / "held").is_dir()
    assert not list(tmp_path.glob(f"{FRESH}*"))
