"""Masking measured: recall by rule over labelled secrets, false masks and speed on real transcripts."""

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from apparatus import tables, transcripts
from apparatus.timing import Stages

from mcp_memory.domain.models import Trajectory
from mcp_memory.text import redaction
from mcp_memory.text.redaction_rules import KEYS

PROVIDER_FREE = {"Password", "Secret", "Token", "Key", "Credential", "Auth", "Salt", "Nonce", "API",
                 "CMD Password", "CMD Secret", "CMD Token", "CMD ConvertTo-SecureString", "DOC_GET",
                 "DOC_CREDENTIALS", "ID_PASSWD_PAIR", "ID_PAIR_PASSWD_PAIR", "IP_ID_PASSWORD_TRIPLE",
                 "SECRET_PAIR", "PASSWD_PAIR", "UUID", "SQL Password", "WPA Passphrase", "Certificate",
                 "AWS S3 Bucket", "Tencent WeChat API App ID",
                 "URL Credentials", "Perl Password", "PHP Password", "Other", "NKEY Seed",
                 "Basic Authorization", "Bearer Authorization", "Hashed Password"}  # fmt: skip
"""Rules that name a kind of place, a bucket or an app's public id, and not a provider's key."""
PROVIDERS = {rule.family for rule in KEYS} | {"private-key"}
SHOWN = 20
"""So many places a family are printed to be read."""


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
    """(line, value) that a pattern found and filters took back, and that is part of no labelled one.

    The corpus labels code and documents apart: a password in a document's `ID/PW:` is no wrong one.
    """
    expected = data / "credsweeper" / "expected"
    kept = {
        line["value"]
        for name in ("output.json", "doc.json")
        for each in json.loads((expected / name).read_text("utf-8"))
        for line in each["line_data_list"]
        if line["value"]
    }
    told = json.loads((expected / "no_filters_no_ml.json").read_text("utf-8"))
    found = {
        (line["line"], line["value"])
        for each in told
        for line in each["line_data_list"]
        if line["value"] and len(line["line"]) < 4_000
    }
    return sorted(
        (line, value)
        for line, value in found
        if not any(value in other or other in value for other in kept)
    )


def hidden(text: str, value: str) -> bool:
    """Whether a value is masked wherever it stands in a text by itself."""
    alone = re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])")
    return not alone.search(redaction.redact(text).text)


def recall(data: Path, lines: list[str]) -> None:
    """Print recall by rule, as labelled and planted among real lines, and the share of hard negatives."""
    seen: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    chosen = random.Random(11)
    for rule, text, value in labelled(data):
        real = chosen.choice(lines) if lines else ""
        at = real.find(" ", len(real) // 2) + 1
        planted = f"{real[:at]}{value} {real[at:]}"
        seen[rule].append((hidden(text, value), hidden(planted, value)))
    tables.begin("rule", "labelled", "masked", "masked, bare in a real line")
    groups = {"all": list(seen), "provider keys": [r for r in seen if r not in PROVIDER_FREE]}
    for name, rules in (*groups.items(), *((rule, [rule]) for rule in sorted(seen))):
        hits = [hit for rule in rules for hit in seen[rule]]
        shares = (f"{sum(hit[n] for hit in hits) / len(hits):.3f}" for n in (0, 1))
        tables.line(name, len(hits), *shares)
    for half in (0, 1):
        negatives = hard_negatives(data)[half::2]
        wrong = [(line, v) for line, v in negatives if v not in redaction.redact(line).text]
        shaped = sum(any(f in PROVIDERS for f in redaction.redact(v).counts) for _, v in wrong)
        print(
            f"hard negatives masked, half {half}: {len(wrong)} of {len(negatives)}, "
            f"{shaped} of them of a provider's own shape"
        )


def texts(trajectory: Trajectory) -> Iterator[str]:
    """What of a session is masked."""
    for step in trajectory.steps:
        yield from (step.text, step.reasoning, *(seen.text for seen in step.observations))
        for call in step.calls:
            yield from (call.command or "", *map(str, call.arguments.values()))


def real_masks(told: list[str]) -> None:
    """Print masks per 100 kB of real histories by family, each place to be read, and the speed."""
    counts: Counter[str] = Counter()
    took = Stages()
    places: dict[str, Counter[str]] = defaultdict(Counter)
    for text in told:
        with took.stage("masking"):
            redacted = redaction.redact(text)
        counts.update(redacted.counts)
        for mask in (
            re.finditer(r"\[masked:([a-z0-9\-]+)\]", redacted.text) if redacted.counts else ()
        ):
            near = redacted.text[max(0, mask.start() - 50) : mask.end() + 20]
            places[mask[1]][near.replace("\n", "⏎")] += 1
    size = sum(map(len, told))
    print(f"real histories: {size / 1e6:.1f} MB, {size / 1e6 / took['masking']:.1f} MB/s")
    tables.begin("family", "masks", "per 100 kB", "places")
    for family, count in (("all", sum(counts.values())), *counts.most_common()):
        tables.line(family, count, f"{count / (size / 1e5):.3f}", len(places[family]) or "")
    for family, near in places.items():
        for place, count in near.most_common(SHOWN):
            print(f"  {family} x{count}: {place!r}")


def main() -> None:
    """Recall on the labelled corpus, then what is masked in real histories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the secrets corpora")
    parser.add_argument("--transcripts", type=Path, nargs="*", default=[], help="real histories")
    told = parser.parse_args()
    real = [t for each in transcripts.trajectories(told.transcripts) for t in texts(each) if t]
    recall(told.data, [line for text in real[::50] for line in text.splitlines() if " " in line])
    if real:
        real_masks(real)


if __name__ == "__main__":
    main()
