"""Tasks: one module each, with NAME, HEADLINE, KINDS and suites(sources)."""

from mcp_memory.evals.samples import Task
from mcp_memory.evals.tasks import beam, coding_history, file_edits, locomo, memsim, reme

TASKS: dict[str, Task] = {
    task.NAME: task for task in (locomo, coding_history, file_edits, reme, beam, memsim)
}
