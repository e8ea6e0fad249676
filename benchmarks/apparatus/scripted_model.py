"""A model on loopback that follows a script, in the three APIs that hosts ask: what it was sent stays."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Body = Mapping[str, Any]
WAITED = "call_wait"
MOST_WAITS = 6
USAGE = {"input_tokens": 5, "output_tokens": 5}


class Tool(NamedTuple):
    """One tool as a host offers it; Codex puts those of a server in a namespace."""

    name: str
    namespace: str = ""
    free: bool = False
    """Whether it takes a text instead of JSON."""


class Turn(NamedTuple):
    """What the model does next: one call, or at the end a word."""

    wanted: re.Pattern[str]
    """Which of the host's tools it calls."""
    given: Callable[[Tool, str], dict[str, Any]]
    """The call's arguments, by the tool and the results so far."""

    def among(self, tools: list[Tool]) -> Tool | None:
        """The tool that is wanted."""
        return next((t for t in tools if self.wanted.search(f"{t.namespace}_{t.name}")), None)


class Call(NamedTuple):
    """One call of a tool."""

    id: str
    tool: Tool
    given: dict[str, Any]


class Model(ThreadingHTTPServer):
    """Follows its turns, one a tool result it is sent; says `done` at the end or without tools."""

    daemon_threads = True

    def __init__(self, turns: list[Turn], waiting: Turn) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.turns, self.waiting, self.waits = turns, waiting, 0
        self.seen: list[str] = []
        self.results: list[str] = []
        self.lacking: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def next(self, body: Body, tools: list[Tool], sent: list[str]) -> Call | None:
        """The call that follows what was sent; None for the last word."""
        self.seen.append(json.dumps(body))
        results = [each for each in sent if WAITED not in each]
        if len(results) > len(self.results):
            self.results = results
        if not tools or len(results) >= len(self.turns):
            return None
        turn, number = self.turns[len(results)], len(sent)
        found = turn.among(tools)
        if found:
            return Call(f"call_{number}", found, turn.given(found, "\n".join(results)))
        # A host that still connects our server offers its tools in a later request.
        found = self.waiting.among(tools) if number < MOST_WAITS else None
        if found is None:
            self.lacking.add(turn.wanted.pattern)
            return None
        self.waits += 1
        return Call(f"{WAITED}_{number}", found, self.waiting.given(found, ""))


class Answer(BaseHTTPRequestHandler):
    """Messages (Claude Code, opencode), Responses (Codex) and generateContent (Gemini CLI)."""

    protocol_version = "HTTP/1.1"
    server: Model

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:  # noqa: D102
        self._send(b"", "text/plain")

    def do_GET(self) -> None:  # noqa: D102
        self._json({"data": [], "models": []})

    def do_POST(self) -> None:  # noqa: D102
        raw = self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}"
        body = json.loads(raw)
        if "count_tokens" in self.path or "countTokens" in self.path:
            self._json({"input_tokens": 10, "totalTokens": 10})
        elif "enerateContent" in self.path:
            self._gemini(body)
        elif self.path.endswith("/responses"):
            self._responses(body)
        elif "/messages" in self.path:
            self._messages(body)
        else:
            self._json({})

    def _messages(self, body: Body) -> None:
        tools = [Tool(each["name"]) for each in body.get("tools", [])]
        parts = [
            part
            for each in body.get("messages", [])
            for part in (each["content"] if isinstance(each["content"], list) else [])
        ]
        results = [json.dumps(each) for each in parts if each["type"] == "tool_result"]
        call = self.server.next(body, tools, results)
        block: dict[str, Any] = {"type": "text", "text": "done"}
        empty: dict[str, Any] = {"type": "text", "text": ""}
        delta: dict[str, Any] = {"type": "text_delta", "text": "done"}
        if call:
            block = {"type": "tool_use", "id": call.id, "name": call.tool.name,
                     "input": call.given}  # fmt: skip
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call.given)}
        stop = "tool_use" if call else "end_turn"
        said = {"id": f"msg_{len(self.server.seen)}", "type": "message", "role": "assistant",
                "model": body.get("model"), "content": [block], "stop_reason": stop,
                "stop_sequence": None, "usage": USAGE}  # fmt: skip
        if not body.get("stream"):
            self._json(said)
            return
        told = {"stop_reason": stop, "stop_sequence": None}
        self._events(
            {"type": "message_start", "message": {**said, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": told, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        )

    def _responses(self, body: Body) -> None:
        tools = []
        sought = [x for x in body.get("input", []) if x.get("type") == "tool_search_output"]
        offered = [*body.get("tools", []), *(one for each in sought for one in each["tools"])]
        for each in offered:
            inner = each.get("tools", []) if each["type"] == "namespace" else []
            tools += [Tool(one["name"], each["name"]) for one in inner]
            if each["type"] in {"function", "custom"}:
                tools.append(Tool(each["name"], free=each["type"] == "custom"))
        results = [
            json.dumps(each)
            for each in body.get("input", [])
            if str(each.get("type")).endswith("call_output")
        ]
        item: dict[str, Any]
        hidden = any(each["type"] == "tool_search" for each in offered)
        if (
            hidden
            and len(sought) <= sum(WAITED in each for each in results)
            and not any("memory" in each.namespace for each in tools)
        ):
            item = {"type": "tool_search_call", "call_id": f"sought_{len(sought)}",
                    "execution": "client", "arguments": {"query": "memory search retain"}}  # fmt: skip
            self._said(item)
            return
        call = self.server.next(body, tools, results)
        item = {
            "type": "message", "id": "m_1", "role": "assistant",
            "content": [{"type": "output_text", "text": "done"}],
        }  # fmt: skip
        if call:
            tool, given = call.tool, call.given
            item = {"id": f"fc_{call.id}", "call_id": call.id, "name": tool.name}
            if tool.free:
                item |= {"type": "custom_tool_call", "input": given["input"]}
            else:
                item |= {"type": "function_call", "arguments": json.dumps(given)}
            item |= {"namespace": tool.namespace} if tool.namespace else {}
        self._said(item)

    def _said(self, item: Mapping[str, Any]) -> None:
        used = {**USAGE, "input_tokens_details": None, "output_tokens_details": None,
                "total_tokens": 10}  # fmt: skip
        self._events(
            {"type": "response.created", "response": {"id": "r1"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": "r1", "usage": used}},
        )

    def _gemini(self, body: Body) -> None:
        tools = [
            Tool(one["name"])
            for each in body.get("tools", [])
            for one in each.get("functionDeclarations", [])
        ]
        parts = [part for each in body.get("contents", []) for part in each.get("parts", [])]
        results = [json.dumps(part) for part in parts if "functionResponse" in part]
        call = self.server.next(body, tools, results)
        part: dict[str, Any] = {"text": "done"}
        if call:
            part = {"functionCall": {"name": call.tool.name, "args": call.given}}
        said = {
            "candidates": [
                {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 5,
                              "totalTokenCount": 10},
            "modelVersion": "scripted",
        }  # fmt: skip
        if "streamGenerateContent" in self.path:
            self._send(f"data: {json.dumps(said)}\r\n\r\n".encode(), "text/event-stream")
        else:
            self._json(said)

    def _events(self, *events: Mapping[str, Any]) -> None:
        lines = (f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)
        self._send("".join(lines).encode(), "text/event-stream")

    def _json(self, told: object) -> None:
        self._send(json.dumps(told).encode(), "application/json")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
