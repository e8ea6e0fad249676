"""Reviews: that a memory was proposed to a team's bank, by whom, and what became of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Review(BaseModel):
    """A proposal and its decision; as long as there is none, the memory is a candidate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proposer: str
    """What the ledger knows the proposer by."""
    proposed_by: str
    decided_by: str = ""
    decision: Literal["", "approved", "declined"] = ""
    reason: str = ""

    @property
    def told(self) -> str:
        """One line for whoever reads the memory."""
        if not self.decision:
            return f"Proposed by {self.proposed_by}; nobody has approved it yet"
        why = f": {self.reason}" if self.reason else ""
        return f"Proposed by {self.proposed_by}, {self.decision} by {self.decided_by}{why}"
