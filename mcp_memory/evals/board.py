"""Every task by its name, in the order in which they are run and reported."""

from mcp_memory.evals.material.samples import Task
from mcp_memory.evals.tasks import (
    abstention,
    beam,
    coding_history,
    file_edits,
    grounding,
    locomo,
    longmemeval,
    longmemeval_v2,
    memsim,
    reme,
    remembered,
    updates,
)

TASKS: dict[str, Task] = {
    task.NAME: task
    for task in (
        locomo,
        coding_history,
        file_edits,
        reme,
        remembered,
        beam,
        memsim,
        updates,
        grounding,
        abstention,
        longmemeval,
        longmemeval_v2,
    )
}
