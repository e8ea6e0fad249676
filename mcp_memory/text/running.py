"""Running: Markdown as running words: headings, lists, tables and rules without their marks."""

import re

from mcp_memory.text import cutting

_PLAN = re.compile(r"(?i)\A\s*implement the following plan:?\s*")
"""With these words Claude Code hands a plan over to the session that carries it out."""
_TITLE = re.compile(r"(?is)#*\s*(?:plan:\s*)?(?P<title>.+?)(?=\s#|$)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(?P<said>.*?)[\s#]*\Z")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(?P<said>.*)")
_RULE = re.compile(r"\s*(?:(?:[-*_]\s*){3,}|\|?(?:\s*:?-{2,}:?\s*\|?)+|`{3,}.*|~{3,}.*)\Z")
_STRONG = re.compile(r"(?<![\w*])\*\*(?P<said>[^*\n]{1,200})\*\*(?![\w*])")
TITLE_CHARS = 120
_ENDS = (".", ":", "!", "?", ";", ",", "…")


def running(text: str) -> str:
    """The text as one line that reads: a heading ends with a colon, an item or a row with a semicolon."""
    parts = [part for line in text.splitlines() if (part := _part(line))]
    if not parts:
        return ""
    body = " ".join([*parts[:-1], parts[-1].rstrip(";")])
    return _STRONG.sub(r"\g<said>", body)


def asked(text: str) -> str:
    """What a request is about: of a plan that was handed over the plan."""
    return _PLAN.sub("", text, count=1)


def title(text: str) -> str:
    """What a request is called: of a plan that was handed over its first heading."""
    plan = asked(text)
    named = _TITLE.match(plan) if plan != text else None
    return named["title"].rstrip() if named else text


def headline(goal: str) -> str:
    """What a session is called whose host gave it no title: the first line of what was asked."""
    return cutting.head(goal.partition("\n")[0], TITLE_CHARS)


def _part(line: str) -> str:
    if not line.strip() or _RULE.match(line):
        return ""
    if heading := _HEADING.match(line):
        return _ended(heading["said"], ":")
    if line.strip().startswith("|"):
        return _ended(
            ", ".join(c for each in line.strip("| \t").split("|") if (c := each.strip())), ";"
        )
    if item := _ITEM.match(line):
        return _ended(item["said"], ";")
    return " ".join(line.split())


def _ended(said: str, mark: str) -> str:
    told = " ".join(said.split())
    return told if not told or told.endswith(_ENDS) else f"{told}{mark}"
