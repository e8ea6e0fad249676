"""How often a property of a whole bank is tried: seldom by default, `MCP_MEMORY_TRIALS` times when asked."""

import os

from hypothesis import HealthCheck, Phase, settings

ASKED = int(os.environ.get("MCP_MEMORY_TRIALS", "0"))


def tried(few: int) -> settings:
    """So many examples by default; each takes a second or more, so none is shrunk."""
    return settings(
        max_examples=ASKED or few,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
