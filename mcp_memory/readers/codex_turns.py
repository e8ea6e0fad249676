"""One Codex session's turns: its items and events as drafts of steps."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, SourceClass, StepKind, ToolCall
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.codex_outputs import Output, content_text, output_of
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import INTERRUPTED, speeches
from mcp_memory.readers.jsonl import Record, list_at, number_at, object_at, text_at
from mcp_memory.readers.tally import Tally
from mcp_memory.readers.tools import exit_at, patched, source_of, tool_call, unfed

_WRAPPED = re.compile(r"\s*(?:<([a-z][\w ]{0,40})[\s>]|# AGENTS\.md instructions)")
_BOOT = frozenset(
    {"environment_context", "user_instructions", "INSTRUCTIONS", "skill", "collaboration_mode"}
    | {"permissions instructions", "permissions", "apps_instructions", "skills_instructions"}
)
_TOLD = {"subagent_notification": SourceClass.AGENT}
_EDITOR = ("# Context from my IDE setup:", "# Files mentioned by the user:")
_REQUEST = re.compile(r"^## My request(?: for [^\n:]{1,40})?:[ \t]*$", re.MULTILINE)
_IMAGE = re.compile(r"\s*</?image\b[^>]*>\s*")
_RAN = re.compile(
    r"\s*<user_shell_command>\s*<command>\s*(?P<command>.*?)\s*</command>\s*"
    r"<result>\s*Exit code: (?P<code>-?\d{1,10})\n(?:Duration: (?P<seconds>[\d.]{1,20}) seconds\n)?"
    r"(?:Output:\n)?(?P<text>.*)</result>",
    re.DOTALL,
)
_SCRIPTED = re.compile(
    r"""\bcmd\s*:\s*("(?:[^"\\]|\\.){0,20000}"|'[^'\\]{0,20000}'|`[^`]{0,20000}`)"""
)


@dataclass(slots=True)
class Turns:
    """The steps of a session, in the making."""

    by_agent: bool = False
    """Whether what stands in the user's place is a calling agent's."""
    path: str = ""
    """What this agent is called by others."""
    drafts: Drafts = field(default_factory=Drafts)
    abandoned: set[int] = field(default_factory=set)
    """Steps of turns that the user took back."""
    model: str = ""
    used: tuple[int, int] = (0, 0)
    tally: Tally = field(default_factory=Tally)
    _at: datetime | None = None
    _told: set[str] = field(default_factory=set)
    _open: Draft | None = None
    _callers: dict[str, Draft] = field(default_factory=dict)
    _ended: dict[str, Output] = field(default_factory=dict)

    def at(self, when: datetime | None) -> None:
        """The time of the record that comes next."""
        self._at = when

    def message(self, item: Record) -> None:
        """A message: the agent's own, the user's, or what the host put in either's place."""
        text = _text(item)
        role = text_at(item, "role")
        if role == "assistant":
            self._speak(text)
        elif role != "user":
            self._instruct(text)
        else:
            self._hear(item)

    def reason(self, item: Record) -> None:
        """Reasoning, where it is stored in the clear."""
        parts = [*list_at(item, "summary"), *list_at(item, "content")]
        texts = [text for part in parts if (text := text_at(part, "text").strip())]
        if texts:
            draft = self._agent()
            draft.reasons += [text for text in texts if text not in draft.reasons]

    def function(self, item: Record) -> None:
        """A call whose arguments are JSON in a string."""
        name, space = text_at(item, "name"), text_at(item, "namespace")
        whole = f"{space}__{name}" if space.startswith("mcp") else name
        self._call(item, whole, _arguments(item.get("arguments")))

    def custom(self, item: Record) -> None:
        """A call whose input is raw text: a patch, or a script of calls."""
        self._call(item, text_at(item, "name"), {"input": text_at(item, "input")})

    def local_shell(self, item: Record) -> None:
        """A command of an old version."""
        action = object_at(item, "action")
        self._call(item, "local_shell", {"command": _line(action.get("command"))})

    def web_search(self, item: Record) -> None:
        """A search that the model's provider ran; what it found is in no file."""
        self._call(item, "web_search", object_at(item, "action"))

    def tool_search(self, item: Record) -> None:
        """A look for tools."""
        self._call(item, "tool_search", _arguments(item.get("arguments")))

    def output(self, item: Record) -> None:
        """A result, joined to its call, else a step of its own."""
        self._observe(text_at(item, "call_id"), output_of(item.get("output")))

    def told_by_agent(self, item: Record) -> None:
        """What another agent sent."""
        text, author = _text(item), text_at(item, "author")
        if self.by_agent and author != self.path and not self.drafts.goal and text:
            # A sub-agent of today gets its task in this way, and no user message.
            self._add("user", SourceClass.AGENT, text)
        else:
            self._add("system", SourceClass.AGENT, f"[{author}] {text}".strip())

    def command_end(self, event: Record) -> None:
        """How a command ended, perhaps long after its first output."""
        (code, failed), spent = exit_at(event, "exit_code"), object_at(event, "duration")
        seconds = (number_at(spent, "secs") or 0.0) + (number_at(spent, "nanos") or 0.0) / 1e9
        self._end(
            event,
            Output(
                "",
                exit_code=code,
                failed=failed,
                seconds=seconds if spent else None,
                denied=text_at(event, "status") == "declined",
            ),
        )

    def patch_end(self, event: Record) -> None:
        """Whether a patch was applied."""
        told = event.get("success")
        self._end(event, Output("", failed=not told if isinstance(told, bool) else None))

    def server_end(self, event: Record) -> None:
        """Whether another server's tool answered."""
        result = object_at(event, "result")
        answered = object_at(result, "Ok")
        failed = "Err" in result or answered.get("isError") is True
        self._end(event, Output("", failed=failed if result else None))

    def roll_back(self, event: Record) -> None:
        """The user took the last turns back: their steps stay, and are marked."""
        turns = int(number_at(event, "num_turns") or 0)
        asked = [d.number for d in self.drafts if d.kind == "user"]
        live = [number for number in asked if number not in self.abandoned]
        if turns > 0 and live:
            first = live[-min(turns, len(live))]
            self.abandoned.update(range(first, len(self.drafts) + 1))

    def abort(self, event: Record) -> None:
        """The turn was broken off; `interrupted` is the user's doing."""
        reason = text_at(event, "reason") or "aborted"
        by_user = reason == "interrupted"
        source = SourceClass.USER if by_user else SourceClass.HOST
        said = INTERRUPTED if by_user else f"[turn_aborted] {reason}"
        self._add("system", source, said)

    def host_says(self, event: Record) -> None:
        """An error or a warning of the host."""
        text = text_at(event, "message") or text_at(object_at(event, "error"), "message")
        self._add("system", SourceClass.HOST, f"[{text_at(event, 'type')}] {text}".strip())

    def review(self, event: Record) -> None:
        """What a review found."""
        found = event.get("review_output")
        if isinstance(found, dict) and found:
            self._add("system", SourceClass.AGENT, f"[review] {_dumped(found)}")

    def compact(self, payload: Record) -> None:
        """The summary that took the place of what went before, where it is not sealed."""
        text = text_at(payload, "message").strip()
        if text:
            self._add("summary", SourceClass.AGENT, text)
        else:
            self._add("system", SourceClass.HOST, "[context_compacted]")

    def tokens(self, event: Record) -> None:
        """What the session used so far."""
        total = object_at(object_at(event, "info"), "total_token_usage")
        self.count(total)

    def count(self, total: Record) -> None:
        """Totals only grow; a smaller one is another thread's."""
        into, out = number_at(total, "input_tokens"), number_at(total, "output_tokens")
        self.used = (max(self.used[0], int(into or 0)), max(self.used[1], int(out or 0)))

    def _speak(self, text: str) -> None:
        if not text:
            return
        draft = self._agent()
        if draft.texts or draft.calls:
            self._open = None
            draft = self._agent()
        draft.texts.append(text)

    def _hear(self, item: Record) -> None:
        """A user message's parts: the host puts its own before or round the person's."""
        said: list[str] = []
        for part in list_at(item, "content"):
            text = content_text(part)
            if _IMAGE.fullmatch(text):
                continue
            found = _WRAPPED.match(text)
            tag = (found[1] or "user_instructions").strip() if found else ""
            if ran := _RAN.match(text):
                self._ran(ran)
            elif tag == "turn_aborted":
                self.tally.skipped["message:turn_aborted"] += 1
            elif tag in _BOOT:
                self._boot(text.strip())
            elif tag in _TOLD:
                self._add("system", _TOLD[tag], text.strip())
            elif text.strip():
                said += self._asked(text.strip())
        for speech in speeches("\n\n".join(said)):
            by_agent = self.by_agent and speech.kind == "user"
            source = SourceClass.AGENT if by_agent else speech.source
            self._add(speech.kind, source, speech.text or speech.command or "")

    def _asked(self, text: str) -> list[str]:
        """The request itself; what an editor put before it is the host's."""
        request = _REQUEST.search(text)
        if not text.startswith(_EDITOR) and not (request and text.startswith("# ")):
            return [text]
        shown = text[: request.start()] if request else text
        self._add("system", SourceClass.HOST, shown.strip())
        asked = text[request.end() :].strip() if request else ""
        return [asked] if asked else []

    def _ran(self, ran: re.Match[str]) -> None:
        draft = self._add("user", SourceClass.USER)
        id_ = f"shell-{draft.number}"
        draft.calls[id_] = tool_call(id_, "shell", {"command": ran["command"]})
        code = int(ran["code"])
        seen = Observation(call_id=id_, text=ran["text"].strip(), exit_code=code, failed=code != 0)
        draft.observations.append(seen)

    def _instruct(self, text: str) -> None:
        # The host tags what it says itself; bare words are a hook's: recalled memory, perhaps.
        if text and not text.startswith("<"):
            self.tally.skipped["message:hook"] += 1
        else:
            self._boot(text)

    def _boot(self, text: str) -> None:
        if text in self._told:
            self.tally.skipped["boot:repeated"] += 1
        elif text:
            self._told.add(text)
            self._add("boot", SourceClass.HOST, text)

    def _add(self, kind: StepKind, source: SourceClass, text: str = "") -> Draft:
        self._open = None
        return self.drafts.begin(kind, source, without_blobs(text), at=self._at)

    def _agent(self) -> Draft:
        """The agent's step that is still being said, or a new one once results came back."""
        if self._open is None or self._open.observations:
            self._open = self.drafts.begin("agent", SourceClass.AGENT, at=self._at)
            self._open.model = self.model or None
        return self._open

    def _call(self, item: Record, name: str, arguments: Record) -> None:
        draft = self._agent()
        id_ = (
            text_at(item, "call_id") or text_at(item, "id") or f"{draft.number}.{len(draft.calls)}"
        )
        if id_ not in self._callers:
            draft.calls[id_] = _completed(tool_call(id_, name or "unnamed", arguments))
            self._callers[id_] = draft

    def _observe(self, id_: str, told: Output) -> None:
        draft = self._callers.get(id_) or self._add("system", SourceClass.TOOL)
        call = draft.calls.get(id_)
        name = call.name if call else ""
        seen = Observation(
            call_id=id_,
            text=told.text,
            exit_code=told.exit_code,
            failed=told.failed,
            seconds=told.seconds,
            source=SourceClass.USER if told.denied else source_of(name),
        )
        draft.observations.append(unfed(name, _joined(seen, self._ended.get(id_))))

    def _end(self, event: Record, told: Output) -> None:
        id_ = text_at(event, "call_id")
        self._ended[id_] = told
        draft = self._callers.get(id_)
        for place, seen in enumerate(draft.observations if draft else ()):
            if draft and seen.call_id == id_:
                draft.observations[place] = _joined(seen, told)


def _joined(seen: Observation, told: Output | None) -> Observation:
    """The observation, with what the host's own event adds to it."""
    if told is None:
        return seen
    code = told.exit_code if seen.exit_code is None else seen.exit_code
    return seen.model_copy(
        update={
            "exit_code": code,
            "failed": told.failed if seen.failed is None else seen.failed,
            "seconds": told.seconds if seen.seconds is None else seen.seconds,
            "source": SourceClass.USER if told.denied else seen.source,
        }
    )


def _completed(call: ToolCall) -> ToolCall:
    """A script of calls names its commands and its patches' files only in its text."""
    script = call.arguments.get("input")
    if call.name != "exec" or not isinstance(script, str):
        return call
    commands = [_unquoted(found) for found in _SCRIPTED.findall(script)]
    paths = tuple(dict.fromkeys(patched(script)))
    command = "\n".join(commands) or None
    return call.model_copy(update={"command": command, "paths": paths, "edits": bool(paths)})


def _arguments(value: Any) -> Record:
    if isinstance(value, str):
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {"arguments": value}
    else:
        parsed = value
    if not isinstance(parsed, dict):
        return {} if parsed is None else {"arguments": parsed}
    for key in ("command", "cmd"):
        if isinstance(parsed.get(key), list):
            parsed[key] = _line(parsed[key])
    return parsed


def _line(command: Any) -> str:
    """A command's words as one line; the shell that wraps it is no part of it."""
    if isinstance(command, str):
        return command
    words = [word for word in command if isinstance(word, str)] if isinstance(command, list) else []
    wrapped = len(words) == 3 and words[1] in ("-lc", "-c", "-Command")  # noqa: PLR2004 - sh -c X
    return words[2] if wrapped else " ".join(words)


def _unquoted(literal: str) -> str:
    if literal.startswith('"'):
        try:
            value = orjson.loads(literal)
        except orjson.JSONDecodeError:
            return literal[1:-1]
        return value if isinstance(value, str) else literal[1:-1]
    return literal[1:-1]


def _text(item: Record) -> str:
    return "".join(content_text(part) for part in list_at(item, "content")).strip()


def _dumped(value: Record) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
