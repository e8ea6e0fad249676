"""Reports: records as tables and JSON, kept as JSON lines, two runs compared question by question."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.evals import scorers
from mcp_memory.evals.running import Record, kept_at

COLUMNS = ("recall@5", "recall@10", "any@5", "any@10", "strict@10", "ndcg@10", "mrr")
OTHERS = ("unit.recall@budget", "stale@5", "value@1", "value@5")


def summary(records: Sequence[Record], headline: str) -> dict[str, float | int]:
    """Means of one system over its questions; the headline with a 95 % interval."""
    present = [one for one in records if not one.absent]
    made: dict[str, float | int] = {"n": len(records)}
    values = [one.scores[headline] for one in present if headline in one.scores]
    interval = scorers.bootstrap(values)
    made |= {headline: interval.mean, "low": interval.low, "high": interval.high}
    for measure in sorted({name for one in present for name in one.scores}):
        told = [one.scores[measure] for one in present if measure in one.scores]
        made[measure] = sum(told) / len(told)
    made |= scorers.abstention([one.absent for one in records], [one.silent for one in records])
    times = [one.milliseconds for one in records]
    made["p50 ms"] = scorers.percentile(times, 0.5)
    made["p95 ms"] = scorers.percentile(times, 0.95)
    made["tokens@10"] = sum(one.tokens for one in records) / max(1, len(records))
    return made


def summaries(
    records: Iterable[Record], headline: str, *, groups: bool = False
) -> dict[str, dict[str, float | int]]:
    """A summary a system, and with `groups` a system and group."""
    sorted_out: dict[str, list[Record]] = {}
    for record in records:
        sorted_out.setdefault(record.system, []).append(record)
        if groups and record.group:
            sorted_out.setdefault(f"{record.group}: {record.system}", []).append(record)
    return {name: summary(told, headline) for name, told in sorted_out.items()}


def table(made: Mapping[str, Mapping[str, float | int]], headline: str) -> str:
    """Systems as rows; the headline first, with its interval."""
    level = headline.partition(".")[0]
    columns = [f"{level}.{name}" for name in COLUMNS]
    columns += [name for name in OTHERS if any(name in told for told in made.values())]
    shown = [name for name in columns if name != headline]
    width = max((len(name) for name in made), default=6)
    head = ["n".rjust(5), f"{headline} [95 %]".rjust(27)]
    head += [name.removeprefix(f"{level}.").rjust(13) for name in shown]
    head += [name.rjust(9) for name in ("silent-", "silent+", "p50 ms", "p95 ms", "tokens@10")]
    lines = ["".ljust(width) + " ".join(head)]
    for name, told in made.items():
        cells = [f"{told['n']:5d}", _interval(told, headline).rjust(27)]
        cells += [(f"{told[each]:.3f}" if each in told else "-").rjust(13) for each in shown]
        cells += [f"{told['wrongly silent']:9.3f}", f"{told['abstention.recall']:9.3f}"]
        cells += [f"{told[each]:9.1f}" for each in ("p50 ms", "p95 ms", "tokens@10")]
        lines.append(name.ljust(width) + " ".join(cells))
    return "\n".join(lines)


def keep(folder: Path, records: Iterable[Record]) -> None:
    """Write the records of a run, a file a task and system."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: dict[Path, list[str]] = {}
    for record in records:
        path = kept_at(folder, record.task, record.system)
        lines.setdefault(path, []).append(record.model_dump_json())
    for path, told in lines.items():
        path.write_text("\n".join(told) + "\n", encoding="utf-8")


def kept(path: Path) -> list[Record]:
    """Records that `keep` wrote.

    Raises:
        InvalidInput: there is no such file, or it holds something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Record.model_validate_json(line) for line in lines]
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{path} holds no records of a run.", next_step="Give files that --out wrote."
        ) from error


def compared(first: Sequence[Record], second: Sequence[Record], measure: str) -> str:
    """Two runs over the questions that both asked: means, gain with its interval, wins, losses."""
    one, other = (
        {record.id: record.scores[measure] for record in told if measure in record.scores}
        for told in (first, second)
    )
    gain, better, worse = scorers.paired(one, other)
    if not gain.n:
        raise InvalidInput(
            f"No question has {measure} in both runs.", next_step="Name another --measure."
        )
    both = one.keys() & other.keys()
    means = [sum(each[key] for key in both) / gain.n for each in (one, other)]
    return (
        f"{measure} over {gain.n} questions: {means[0]:.3f} -> {means[1]:.3f}, gain "
        f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]; {better} better, {worse} worse"
    )


def _interval(told: Mapping[str, float | int], headline: str) -> str:
    return f"{told[headline]:.3f} [{told['low']:.3f}, {told['high']:.3f}]"
