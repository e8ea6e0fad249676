"""What is worked out of a value is made once, for that value alone, and goes with it."""

import gc

from mcp_memory.domain.models import Observation, ToolCall
from mcp_memory.trajectories.worked_out import WorkedOut


def test_it_is_made_once_for_an_object_and_anew_for_its_equal() -> None:
    made: list[str] = []
    told = WorkedOut[Observation, ToolCall, int](
        lambda seen, _: made.append(seen.text) or len(made)
    )
    seen, call = Observation(call_id="1", text="a"), ToolCall(id="1", name="Bash")
    assert [told(seen, call), told(seen, call)] == [1, 1]
    assert told(seen.model_copy(), call) == 2
    assert told(seen, ToolCall(id="1", name="Bash")) == 3


def test_nothing_is_held_of_values_that_are_gone() -> None:
    told = WorkedOut[Observation, None, str](lambda seen, _: seen.text)
    for number in range(1_000):
        assert told(Observation(call_id="1", text=str(number)), None) == str(number)
    gc.collect()
    assert len(told._held) == 0
