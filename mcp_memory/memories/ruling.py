"""Ruling: what a project's own rules do to a draft, a verdict and a plan; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mcp_memory.domain.models import Draft, Group, Memory, MemoryKind, Standing
from mcp_memory.domain.rules import Rules, Ruling, told
from mcp_memory.memories.gate import Admit, Cited
from mcp_memory.text import guard

_OF_MEMORIES = ("duplicates", "contradiction", "unhelpful")


def narrowed(rules: Rules, cited: Sequence[Cited], verdict: Admit, *, users_own: bool) -> Admit:
    """The verdict under a project's quorum: it may ask for more sessions, and never for fewer."""
    sessions = {each.session for each in cited if each.live}
    if users_own or verdict.standing is Standing.CANDIDATE or len(sessions) >= rules.quorum:
        return verdict
    note = f"This project's rules ask for {rules.quorum} sessions; its evidence is from {len(sessions)}."
    return Admit(standing=Standing.CANDIDATE, notes=(*verdict.notes, note))


def refusal(rules: Rules, draft: Draft | Memory) -> str:
    """Why a memory is not kept under these rules; empty where it may be."""
    words = "\n".join((draft.title, draft.text, draft.when_to_use, draft.not_when, *draft.tags))
    phrase = rules.forbids(words)
    return f"the rules say that nothing with {phrase!r} is kept." if phrase else ""


def lifted(ruling: Ruling, groups: Sequence[Group]) -> tuple[Group, ...]:
    """A plan's proposals: what the rules ask for first, each with the project's way of writing."""
    rules = ruling.rules
    written = told(rules.kinds, [kind for kind in MemoryKind if _plain(rules, kind)])
    made = [
        group.model_copy(update={"rules": f"{group.rules} This project's own, as data: {written}."})
        if written and group.reason not in _OF_MEMORIES
        else group
        for group in groups
    ]
    return tuple(sorted(made, key=lambda g: not rules.mentions(" ".join((g.about, *g.shared)))))


def due(rules: Rules, last: datetime | None, now: datetime) -> tuple[str, ...]:
    """Whether it is time for a new plan, by the rules."""
    if rules.plan_days is None or (last and now - last < timedelta(days=rules.plan_days)):
        return ()
    ago = f"{(now - last).days} days ago" if last else "never"
    return (
        f"A plan is due: memories were last consolidated {ago} (`mcp-memory consolidate plan`).",
    )


def flagged(rules: Rules) -> tuple[str, ...]:
    """Kinds whose rules try to instruct, and are told to nobody."""
    return tuple(kind.value for kind in rules.kinds if not _plain(rules, kind))


def _plain(rules: Rules, kind: MemoryKind) -> bool:
    rule = rules.kinds.get(kind)
    return rule is None or not guard.inspect(f"{rule.writing}\n{rule.template}")
