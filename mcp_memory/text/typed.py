"""Typed: what of a user's message a person typed, and what was pasted, quoted or wrapped; pure."""

import re
from itertools import pairwise

MOST_TYPED = 1_200
"""Characters of a message that are taken as typed whole; of a longer one its first and last paragraph."""
LEAST_PASTED, LONG_PARAGRAPH = 200, 400
"""Characters below a line that ends with a colon from which they are a paste, and of any later paragraph."""
_NOT_TYPED = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)"  # fences
    r"|^[ \t]*>.*$"  # quotations
    r"|<([A-Za-z][\w-]*)[^<>]*>.*?(?:</\1>|\Z)"  # what a host wraps
    r"|^\s*\[(?:Request interrupted|Pasted text|Image|SYSTEM)[^\]\n]*\]",
    re.DOTALL | re.MULTILINE,
)
_OF_A_PAGE = re.compile(
    r"^\s{0,3}(?:#{1,6}\s|\|.*\|\s*$|!\[|<[a-z!/]|\d{4}-\d\d-\d\d[T ]\d\d:|\$ |[A-Z][\w ]{2,30}\n[=-]{4,})",
    re.MULTILINE,
)
"""What a page, a log or a terminal has and a person rarely types: headings, tables, times, prompts."""


def typed(text: str) -> str:
    """What of a user's message a person wrote: no wrapped, fenced, quoted or pasted text."""
    own = _NOT_TYPED.sub("\n", text).strip()
    paragraphs = [each.strip() for each in re.split(r"\n\s*\n", own) if each.strip()]
    # What stands below `the page says:` is the page's.
    said = paragraphs[:1]
    for before, each in pairwise(paragraphs):
        if before.endswith(":") and len(each) > LEAST_PASTED:
            break
        if len(each) > LONG_PARAGRAPH or _OF_A_PAGE.search(each):
            break
        said.append(each)
    whole = "\n\n".join(said)
    if len(whole) <= MOST_TYPED:
        return whole
    ends = dict.fromkeys((said[0], said[-1]))
    return "\n\n".join(each for each in ends if len(each) <= MOST_TYPED // 2)


def pasted(text: str) -> str:
    """What of a user's message nobody typed there, as far as its form tells."""
    kept = {paragraph.strip() for paragraph in typed(text).split("\n\n")}
    return "\n\n".join(each for each in re.split(r"\n\s*\n", text) if each.strip() not in kept)
