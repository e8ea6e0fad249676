"""Settled: what a person corrected, laid down or chose, in their own words; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.memories import users_word
from mcp_memory.memories.experience import Offer, Point, Said, SessionView, offer, roots
from mcp_memory.text import identifiers, wording
from mcp_memory.text.typed import typed

LEAST_SAID, MOST_SAID = 20, 320
"""Characters of a sentence that can lay something down."""
MOST_MESSAGE = 600
"""A longer message is a task, or a paste."""
MOST_OPENING = 200
"""The first message of a session is its task, unless it is short."""
LEAST_TELLING, LEAST_PLAIN = 3, 4
LIKE = 0.4
"""Share of telling words (Jaccard) from which two sentences say the same."""
LAID_DOWN = 2.0
"""Points of a sentence from which it is offered."""
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+|(?<=[\u3002\uff01\uff1f])")
_STANDING = re.compile(
    r"\b(?:always|never|every|each|for all|in all|everywhere|wherever|whenever|from now on"
    r"|by default|must|prefer|convention|remember|no longer|anymore"
    r"|immer|nie|niemals|jede\w*|alle\w*|grunds\u00e4tzlich|toujours|jamais|chaque|tou[st]\w*"
    r"|siempre|nunca|cada|tod[oa]s?|sempre|mai|ogni|tutt[ie]|\u0432\u0441\u0435\u0433\u0434\u0430"
    r"|\u043d\u0438\u043a\u043e\u0433\u0434\u0430|\u043a\u0430\u0436\u0434\w+)\b"
    "|\u603b\u662f|\u6c38\u8fdc|\u5fc5\u987b|\u6bcf\u6b21|\u4e0d\u8981|\u3044\u3064\u3082|\u5fc5\u305a|\ud56d\uc0c1|\uc808\ub300",
    re.IGNORECASE,
)
"""Words that make more than this one case of a sentence."""
_WANTED = re.compile(
    r"\b(?:should(?:n[\u2019']t)?|instead of|rather than|(?:we|i) (?:use|want|need|prefer|explicit\w+)"
    r"|i[\u2019']d (?:rather|prefer)|statt|lieber|soll(?:te\w*)?|plut\u00f4t|en vez de|invece)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|so that|so we|otherwise|that[\u2019']s why|cause|weil|sonst|damit"
    r"|parce que|sinon|porque|perch\u00e9"
    r"|\u043f\u043e\u0442\u043e\u043c\u0443)\b|\u56e0\u4e3a|\u306a\u306e\u3067",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"(?<![\w-])[^\W\d_]{2,}(?![\w=/])|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}"
)
_ANSWERED = re.compile(r"\"([^\"]{10,300})\"=\"([^\"]{2,300})\"")
_FOR_ONCE = re.compile(
    r":$|\bat line \d|\bline \d+ -|https?://\S+/(?:pull|issues|merge_requests)/\d+", re.IGNORECASE
)
"""What speaks of one place or one request, or only opens a list."""
_AGREED = re.compile(
    r"(?:yes|no|ok(?:ay)?|sure|ja|nein|oui|non|s\u00ed|\u662f|\u306f\u3044)\b", re.IGNORECASE
)
"""Leave to go on is no choice that another session needs."""
_REFUSED = re.compile(r"^refused (?P<what>`[^`]*`): (?P<said>.{12,})$", re.DOTALL)
_HOSTS_NOTE = re.compile(r"\s*Note: The user's next message may.*", re.DOTALL)
_HOSTS_OWN = re.compile(r"The user (?:wants|doesn't|has)\b")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One sentence of a person."""

    point: Point
    words: frozenset[str]
    weight: float


def corrections(sessions: Mapping[str, SessionView], said: Iterable[Said]) -> Iterator[Offer]:
    """Sentences by which a person laid something down; what was said twice counts more."""
    rules = [rule for one in said if one.by_user and one.session in sessions
             for rule in _rules(sessions[one.session], one)]  # fmt: skip
    rules += [rule for session in sessions.values() for rule in _refusals(session)]
    by_project: dict[str, list[_Rule]] = {}
    for rule in rules:
        by_project.setdefault(rule.point.session.project, []).append(rule)
    for told in by_project.values():
        yield from _offers(told)


def _offers(rules: list[_Rule]) -> Iterator[Offer]:
    left = sorted(rules, key=lambda r: (-r.weight, r.point.session.id, r.point.step))
    while left:
        first, *rest = left
        same = [r for r in rest if _alike(first.words, r.words)]
        left = [r for r in rest if r not in same]
        points = tuple(r.point for r in (first, *same))
        weight = first.weight + 2 * (roots(points) - 1)
        if weight >= LAID_DOWN:
            yield offer("correction", first.point.told, points, worth=weight)


def _rules(session: SessionView, one: Said) -> Iterator[_Rule]:
    own = typed(one.text)
    first = session.entry.attempts[:1]
    opens = not first or one.step <= first[0].first + 1
    if session.entry.parent or len(own) > (MOST_OPENING if opens else MOST_MESSAGE):
        return
    stopped = any(d.step in (one.step - 1, one.step - 2) and d.text.startswith("refused")
                  for d in session.entry.decisions)  # fmt: skip
    for sentence in _SENTENCES.split(own):
        weight = _weight(sentence)
        if weight:
            yield _Rule(Point(session, one.step, told=sentence.strip()), _words(sentence),
                        weight + stopped)  # fmt: skip


def _refusals(session: SessionView) -> Iterator[_Rule]:
    """What was said with a refusal."""
    for decision in session.entry.decisions:
        told = _REFUSED.match(decision.text)
        if told is None or _HOSTS_OWN.match(told["said"]):
            continue
        for sentence in _SENTENCES.split(_HOSTS_NOTE.sub("", told["said"])):
            if weight := _weight(sentence):
                yield _Rule(Point(session, decision.step, told=sentence.strip()),
                            _words(sentence), weight + 1)  # fmt: skip


def _weight(sentence: str) -> float:
    """How much a sentence lays down; 0 for a question, an order for once, and what is too short."""
    line = sentence.strip()
    if not LEAST_SAID <= len(line) <= MOST_SAID or line.rstrip("\"')").endswith(("?", "\uff1f")):
        return 0
    if _FOR_ONCE.search(line):
        return 0
    if len(_words(line)) < LEAST_TELLING or len(_PLAIN.findall(line)) < LEAST_PLAIN:
        return 0
    standing, wanted = bool(_STANDING.search(line)), min(2, len(_WANTED.findall(line)))
    refused, reason = users_word.refuses(line), bool(_REASON.search(line))
    named = bool(identifiers.names(line))
    if not (standing or wanted or (refused and reason and named)):
        return 0
    return 1.5 * standing + wanted + 0.5 * refused + reason + 0.5 * named


def decisions(sessions: Sequence[SessionView]) -> Iterator[Offer]:
    """Questions that a person was asked, with what they chose."""
    for session in sessions:
        for decision in session.entry.decisions:
            if not decision.text.startswith("answered "):
                continue
            for asked, chosen in _ANSWERED.findall(decision.text):
                if _AGREED.match(chosen):
                    continue
                named = bool(identifiers.names(f"{asked} {chosen}"))
                worth = 2.0 + named + 0.5 * (len(_words(chosen)) >= LEAST_TELLING)
                point = Point(session, decision.step, told=f"{asked} {chosen}")
                yield offer("decision", f"{asked} \u2192 {chosen}", (point,), worth=worth)


def _words(text: str) -> frozenset[str]:
    return frozenset(term.casefold() for term in wording.informative(text))


def _alike(left: frozenset[str], right: frozenset[str]) -> bool:
    return len(left & right) >= LIKE * max(1, len(left | right))
