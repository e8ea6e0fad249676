"""The documents say what the code says, and every link of theirs leads somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def test_the_reference_is_what_the_code_says() -> None:
    # A process of its own: commands remember what help they were asked for last.
    asked = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", head.strip().lower()) for head in heads)
    return {re.sub(r"\s+", "-", head) for head in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    for first, second in _LINK.findall(text):
        target, _, anchor = (first or second).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{page.name}: {target}#{anchor}"


def test_every_page_has_its_place_in_the_site() -> None:
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    left = {page.relative_to(DOCS).as_posix() for page in PAGES if page.name not in site}
    assert left == set()


def test_the_moving_picture_is_the_tours_own() -> None:
    picture = (DOCS / "tour.svg").read_text(encoding="utf-8")
    words = re.sub(r"<[^>]+>", "", picture)
    for said in ("mcp-memory tour", "runbook", "Next:", "mcp-memory setup"):
        assert said in words
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
