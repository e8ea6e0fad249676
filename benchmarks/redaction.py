"""Masking measured: recall by rule over labelled secrets, false masks and speed on real transcripts."""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from apparatus import transcripts
from apparatus.timing import Stages

from mcp_memory.domain.models import Trajectory
from mcp_memory.text import redaction

PROVIDER_FREE = {"Password", "Secret", "Token", "Key", "Credential", "Auth", "Salt", "Nonce", "API",
                 "CMD Password", "CMD Secret", "CMD Token", "CMD ConvertTo-SecureString", "DOC_GET",
                 "DOC_CREDENTIALS", "ID_PASSWD_PAIR", "ID_PAIR_PASSWD_PAIR", "IP_ID_PASSWORD_TRIPLE",
                 "SECRET_PAIR", "PASSWD_PAIR", "UUID", "SQL Password", "WPA Passphrase", "Certificate",
                 "AWS S3 Bucket", "Tencent WeChat API App ID",
                 "URL Credentials", "Perl Password", "PHP Password", "Other", "NKEY Seed",
                 "Basic Authorization", "Bearer Authorization", "Hashed Password"}  # fmt: skip
"""Rules that name a kind of place, a bucket or an app's public id, and not a provider's key."""


def labelled(data: Path) -> list[tuple[str, str, str]]:
    """(rule, text, value) of every labelled secret: the text is the whole file where it holds it."""
    folder = data / "credsweeper"
    told = json.loads((folder / "expected" / "output.json").read_text("utf-8"))
    found = []
    for each in told:
        for line in each["line_data_list"]:
            file = folder / "samples" / Path(line["path"]).name
            whole = file.read_text("utf-8", "replace") if file.is_file() else ""
            text = whole if line["value"] in whole else line["line"]
            # The marks around a PEM block are labelled too; they say that a key stood there.
            if line["value"] and line["value"] in text and not line["value"].startswith("-----"):
                found.append((each["rule"], text, line["value"]))
    return found


def hard_negatives(data: Path) -> list[tuple[str, str]]:
    """(line, value) that a pattern found and filters took back."""
    kept = {(line, value) for _, line, value in labelled(data)}
    told = json.loads(
        (data / "credsweeper" / "expected" / "no_filters_no_ml.json").read_text("utf-8")
    )
    found = {
        (line["line"], line["value"])
        for each in told
        for line in each["line_data_list"]
        if line["value"] and len(line["line"]) < 4_000
    }
    return sorted(found - kept)


def recall(data: Path) -> None:
    """Print recall by rule, worst first."""
    seen: dict[str, list[bool]] = defaultdict(list)
    missed: dict[str, str] = {}
    for rule, line, value in labelled(data):
        masked = value not in redaction.redact(line).text
        seen[rule].append(masked)
        if not masked:
            at = line.index(value)
            missed.setdefault(rule, line[max(0, at - 50) : at + 60].replace("\n", "⏎"))
    groups = {"provider keys": Counter(), "all labels": Counter()}
    for rule, hits in seen.items():
        for group in ("all labels", *(["provider keys"] if rule not in PROVIDER_FREE else [])):
            groups[group].update(found=sum(hits), all=len(hits))
    for name, count in groups.items():
        print(f"recall, {name}: {count['found'] / count['all']:.3f} of {count['all']}")
    for rule in sorted(missed, key=lambda r: sum(seen[r]) / len(seen[r])):
        print(f"  {rule}: {sum(seen[rule])} of {len(seen[rule])} · missed: {missed[rule]}")
    negatives = hard_negatives(data)
    wrong = sum(value not in redaction.redact(line).text for line, value in negatives)
    print(f"hard negatives masked: {wrong / len(negatives):.3f} of {len(negatives)}")


def texts(trajectory: Trajectory) -> Iterator[str]:
    """What of a session is masked."""
    for step in trajectory.steps:
        yield from (step.text, step.reasoning, *(seen.text for seen in step.observations))


def false_masks(places: list[Path]) -> None:
    """Print masks per 100 kB and speed over real transcripts, as texts and not as raw JSON."""
    counts: Counter[str] = Counter()
    size, took = 0, Stages()
    examples: dict[str, list[str]] = defaultdict(list)
    for trajectory in transcripts.trajectories(places):
        for text in texts(trajectory):
            with took.stage("masking"):
                redacted = redaction.redact(text)
            size += len(text)
            counts.update(redacted.counts)
            for family in redacted.counts:
                at = redacted.text.index(f"[masked:{family}]")
                examples[family].append(redacted.text[max(0, at - 60) : at + 40])
    print(
        f"transcripts: {size / 1e6:.1f} MB, {size / 1e6 / took['masking']:.1f} MB/s, "
        f"{sum(counts.values())} masks, {sum(counts.values()) / (size / 1e5):.2f} per 100 kB: {dict(counts)}"
    )
    for family, told in examples.items():
        for example in told[:12]:
            print(f"  {family}: {example!r}")


def main() -> None:
    """Recall on the labelled corpus, then false masks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the secrets corpora")
    data = parser.parse_args().data
    recall(data)
    false_masks(
        [data.parent.parent / "trajectories" / name for name in ("claude_code", "swe_agent")]
    )


if __name__ == "__main__":
    main()
