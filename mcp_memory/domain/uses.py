"""Uses: how often a memory was shown, opened and used, and how that went; with an estimate of its worth."""

import math

from mcp_memory.domain.models import Frozen

SESSION = 0.25
"""What a session counts in which a memory was met, beside a word of who used it: it shows less."""
MOST_SESSIONS = 12
"""So many sessions count at most, whichever way they went: they never outweigh a handful of words."""


class Use(Frozen):
    """What is known of one memory's use; all of it belongs to its words, through all versions."""

    shown: int = 0
    """Answers of search and runbook that it stood in."""
    opened: int = 0
    well: int = 0
    badly: int = 0
    unknown: int = 0
    """Uses by the word of who used it."""
    voices: tuple[int, int] = (0, 0)
    """How many said that it went well, and how many badly: who says so thirty times is one."""
    went_well: int = 0
    went_badly: int = 0
    went_unknown: int = 0
    """Later sessions in which it was met, by how the work that it was met in ended."""

    @property
    def used(self) -> int:
        """How often it was used, however that went."""
        return self.well + self.badly + self.unknown

    @property
    def weights(self) -> tuple[float, float]:
        """What speaks for it and what against: whoever said so whole, sessions in part."""
        met = self.went_well + self.went_badly
        part = SESSION * min(1.0, MOST_SESSIONS / met) if met else 0.0
        well, badly = self.voices
        return well + part * self.went_well, badly + part * self.went_badly

    @property
    def helps(self) -> tuple[float, float]:
        """How likely it helps, and how unsure that is: mean and half the width of a Beta estimate.

        From (1, 1) on, so that what was never used is 0.5, give or take .47; the width is 1.64
        standard deviations to each side.
        """
        well, badly = self.weights
        a, b = well + 1, badly + 1
        spread = math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
        return a / (a + b), min(0.5, 1.64 * spread)

    def told(self) -> tuple[str, ...]:
        """What there is to tell, each thing for itself; nothing of what never was."""
        ends = ((self.well, "well"), (self.badly, "badly"), (self.unknown, "unknown"))
        how = ", ".join(f"{count} {name}" for count, name in ends if count)
        met = self.went_well + self.went_badly + self.went_unknown
        lines = [f"shown {self.shown}"] if self.shown else []
        lines += [f"opened {self.opened}"] if self.opened else []
        lines += [f"used {self.used}: {how}"] if self.used else []
        if met:
            lines.append(f"met in {met} later: {self.went_well} well, {self.went_badly} badly")
        if any(self.weights):
            likely, unsure = self.helps
            lines.append(f"helps {likely:.2f} ± {unsure:.2f}")
        return tuple(lines)
