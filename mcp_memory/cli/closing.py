"""Closing words of `index`: five lines on what was read, what the bank has, what was refused, what goes."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mcp_memory import hosts
from mcp_memory.cli import ending
from mcp_memory.cli.door import some
from mcp_memory.domain.projects import pure_path
from mcp_memory.domain.reports import FileReport
from mcp_memory.store.rows import SessionRow
from mcp_memory.text.counting import counted

SOON = timedelta(days=7)
FEW = 3
"""So many refused pieces, or reasons, are named."""
_SHOWN = 5
_NUMBER = re.compile(r"\d+")


def closing(
    reports: Sequence[FileReport], rows: Sequence[SessionRow], *, verbose: bool
) -> list[str]:
    """What a user wants to know after a run; with `verbose`, the record types and refusals too."""
    lines = [read(reports), *held(rows), refused(reports)]
    if verbose:
        lines += _counted("Left out on purpose", [r.skipped for r in reports])
        lines += _counted("Record types not known", [r.unknown for r in reports])
        lines += some(_refusals(reports))
    return lines


def counts(reports: Sequence[FileReport], rows: Sequence[SessionRow]) -> dict[str, object]:
    """The same for a program."""
    return {
        "files": dict(Counter(report.status for report in reports)),
        "sessions": sum(report.sessions for report in reports),
        "steps": sum(report.steps for report in reports),
        "bytes": sum(report.bytes for report in reports),
        "masked": sum(report.masked for report in reports),
        "refused": list(_refusals(reports)),
        "bank": {
            "sessions": len(rows),
            "agents": dict(Counter(row.format for row in rows)),
            "projects": dict(Counter(row.project for row in rows)),
        },
    }


def read(reports: Sequence[FileReport]) -> str:
    """What this run read."""
    states = Counter(report.status for report in reports)
    done = [report for report in reports if report.status == "indexed"]
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
    if not done:
        return f"Read: {counted(len(reports), 'file')}: {told}."
    size = sum(report.bytes for report in done) / 1e6
    return (
        f"Read: {counted(len(reports), 'file')}: {told}; "
        f"{counted(sum(r.sessions for r in done), 'session')}, "
        f"{counted(sum(r.steps for r in done), 'step')}, {size:.1f} MB; "
        f"{counted(sum(r.masked for r in done), 'secret')} masked."
    )


def held(rows: Sequence[SessionRow]) -> list[str]:
    """The sessions that the bank has now: of which agents and projects, from when to when."""
    begun = [row.started_at for row in rows if row.started_at]
    ended = [row.ended_at or row.started_at for row in rows if row.started_at]
    days = [at.date().isoformat() for at in (min(begun), max(filter(None, ended)))] if begun else []
    span = f", from {' to '.join(dict.fromkeys(days))}" if days else ""
    linked = sum(bool(row.parent) for row in rows)
    forked = sum(bool(row.origin) for row in rows)
    also = f"; {linked} are sub-agents', {forked} go on from others" if linked or forked else ""
    agents = _most(Counter(hosts.named(row.format) for row in rows))
    projects = _most(_named(Counter(row.project for row in rows)))
    return [
        f"Bank: {counted(len(rows), 'session')} of {agents or 'no agent yet'}{also}.",
        f"Projects: {projects or 'none yet'}{span}.",
    ]


def refused(reports: Sequence[FileReport]) -> str:
    """How many pieces were not read, and why."""
    pieces = [told.partition("; it was left out")[0] for told in _refusals(reports)]
    why = Counter(_NUMBER.sub("N", told.partition(": ")[2]) for told in pieces)
    unknown = sum(sum(report.unknown.values()) for report in reports)
    also = f"; {counted(unknown, 'record')} of unknown types" if unknown else ""
    if not why:
        return f"Refused: nothing{also}."
    count = counted(len(pieces), "piece")
    if len(pieces) <= FEW:
        return f"Refused: {count} ({'; '.join(told[:120] for told in pieces)}){also}; all else was kept."
    reasons = "; ".join(f"{count} times {reason[:90]}" for reason, count in why.most_common(FEW))
    more = " and others" if len(why) > FEW else ""
    return f"Refused: {count} ({reasons}{more}){also}; all else was kept; --verbose names them."


def end(reports: Sequence[FileReport]) -> None:
    """End as a command does of which a part was refused."""
    kept = any(report.status != "refused" for report in reports)
    ending.refused(len(_refusals(reports)), done=kept)


def endangered(now: datetime) -> str:
    """What hosts will delete within a week: the archive keeps it."""
    told = []
    for host in hosts.HOSTS:
        kept = hosts.retention(host)
        found = host.transcripts() if kept is not None else ()
        ends = [
            datetime.fromtimestamp(path.stat().st_mtime, UTC) + kept
            for path in found
            if kept is not None and path.is_file()
        ]
        soon = [end for end in ends if end - now <= SOON]
        if soon and kept is not None:
            day = min(soon).date().isoformat()
            told.append(f"{host.NAME} {len(soon)} (after {kept.days} days, the first on {day})")
    if not told:
        return "Deleted next: nothing within a week."
    return f"Deleted next, within a week: {'; '.join(told)}; the bank keeps them."


def _refusals(reports: Iterable[FileReport]) -> list[str]:
    """One line a piece: its file, and why."""
    lines = []
    for report in reports:
        name = report.path.name
        if report.status == "refused":
            lines.append(f"{name}: {report.reason.replace(str(report.path), 'the file')}")
        lines += [f"{name} {one.where}: {one.reason}" for one in report.refusals]
    return lines


def _most(counts: Mapping[str, int]) -> str:
    first = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    told = ", ".join(f"{name} {count}" for name, count in first[:_SHOWN])
    return f"{told} and {len(first) - _SHOWN} more" if len(first) > _SHOWN else told


def _named(projects: Mapping[str, int]) -> dict[str, int]:
    """Projects by their last folder, where that tells them apart."""
    short = Counter(pure_path(name).name or name for name in projects)
    last = {name: pure_path(name).name or name for name in projects}
    return {(last[n] if short[last[n]] == 1 else n): count for n, count in projects.items()}


def _counted(title: str, counts: Sequence[Mapping[str, int]]) -> list[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    told = ", ".join(f"{name} {number}" for name, number in sorted(total.items()))
    return [f"{title}: {told}"] if told else []
