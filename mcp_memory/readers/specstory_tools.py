"""SpecStory's tool blocks: a tool's name, its arguments as prose, and its output in a fence."""

import re
from typing import Self

from mcp_memory.domain.models import Observation, SourceClass
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.drafts import Draft
from mcp_memory.readers.harness import never_ran
from mcp_memory.readers.tools import source_of, tool_call, unfed

_OPENED = re.compile(
    r'<tool-use(?: data-tool-type="([^"]{0,100})")?(?: data-tool-name="([^"]{0,200})")?[^>]{0,200}>'
)
_CLOSED = "</details></tool-use>"
_CODE = re.compile(r"`([^`\n]{1,4000})`")
_NAMED = re.compile(r"(\w{1,30}) `([^`\n]{1,4000})`")
_EXIT = re.compile(r"Exit code (\d{1,6})(?:\n|$)")
_WRITTEN = re.compile(
    r"(?:The file (/[^\n]{1,1000}?) has been updated|File created successfully at: ([^\n]{1,1000}))"
)
_DENIED = ("The user doesn't want to proceed with this tool use", "[Request interrupted by user")


def _refused(text: str) -> bool:
    """Whether the host says that a call failed; not of one that it gave up beside another."""
    return text.startswith("<tool_use_error>") and not never_ran(text)


class Use:
    """One tool block while its lines are being read."""

    def __init__(self, type_: str, name: str) -> None:
        self._type, self._name = type_, name
        self._told: list[str] = []
        self._fences: dict[str, list[str]] = {}
        self._fence: list[str] | None = None
        self._result: list[str] | None = None
        self.closed = False

    @classmethod
    def opened(cls, line: str) -> Self | None:
        """The block that a line opens."""
        found = _OPENED.match(line) if line.startswith("<tool-use") else None
        return cls(found[1] or "", found[2] or found[1] or "") if found else None

    def take(self, line: str) -> bool:
        """One line of the block; whether it is its last."""
        if line.startswith(_CLOSED):
            self.closed = True
            return True
        if self._result is not None:
            self._result.append(line)
        elif self._fence is not None:
            if line == "```":
                self._fence = None
            else:
                self._fence.append(line)
        elif line == "```text":
            self._result = []
        elif line.startswith("```"):
            self._fence = self._fences.setdefault(line[3:83].strip() or "code", [])
        elif not line.startswith("<summary>Tool use:") and line.strip():
            self._told.append(line.strip())
        return False

    def finish(self, draft: Draft) -> None:
        """Put the call, and what came back, into the step that made it."""
        text = self._text()
        call = tool_call(f"call-{draft.number}", self._name, self._arguments())
        written = _WRITTEN.match(text or "") if self._type == "write" else None
        path = (written[1] or written[2]).strip() if written else ""
        paths = tuple(dict.fromkeys(p for p in (*call.paths, path) if p))
        writes = self._type == "write" and bool(paths)
        call = call.model_copy(update={"paths": paths, "edits": call.edits or writes})
        draft.calls[call.id] = call
        if text is None:
            return
        code = _EXIT.match(text) if self._type == "shell" else None
        denied = text.startswith(_DENIED)
        seen = Observation(
            call_id=call.id,
            text=text[code.end() :] if code else text,
            exit_code=int(code[1]) if code else None,
            failed=True if code or denied or _refused(text) else None,
            source=SourceClass.USER if denied else source_of(self._name),
        )
        draft.observations.append(unfed(self._name, seen))

    def _text(self) -> str | None:
        if self._result is None:
            return None
        text = "\n".join(self._result).rstrip()
        return without_blobs(text.removesuffix("```").rstrip("\n"))

    def _arguments(self) -> dict[str, str]:
        """The arguments as far as the prose tells them: it quotes values and drops most names."""
        told = "\n".join(self._told)
        quoted = _CODE.findall(told)
        arguments = {"told": told} if told else {}
        for language, lines in self._fences.items():
            arguments["diff" if language == "diff" else "content"] = "\n".join(lines)
        if self._type == "shell":
            scripts = [self._fences[key] for key in ("bash", "sh", "shell") if key in self._fences]
            command = "\n".join(scripts[0]) if scripts else quoted[-1] if quoted else ""
            return {**arguments, "command": command}
        if self._type in ("search", "grep"):
            return {**arguments, **dict(_NAMED.findall(told))}
        if self._type in ("read", "write") and quoted and "://" not in quoted[0]:
            arguments["path"] = quoted[0]
        return arguments
