"""Our own server with the tools, resources and prompts that the conformance suite asks for by name.

Run by conformance.py; listens without authentication on loopback, for the suite sends no token.
"""

import base64
import functools
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import mcp.types as t
import uvicorn
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage

from mcp_memory.server.app import build_server
from mcp_memory.server.authentication import build_guard
from mcp_memory.server.held import Banks
from mcp_memory.server.listening import HTTP_PATH, build_app, own_url
from mcp_memory.server.viewing import Viewing
from mcp_memory.settings import Settings
from mcp_memory.viewer.entering import Entrance

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAwS2OUAAAAABJRU5ErkJggg=="
SILENCE = base64.b64encode(
    b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\0\0\0\0"
).decode()


def image() -> t.ImageContent:
    return t.ImageContent(type="image", data=PIXEL, mime_type="image/png")


def embedded(uri: str, text: str, mime_type: str = "text/plain") -> t.EmbeddedResource:
    told = t.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return t.EmbeddedResource(type="resource", resource=told)


def test_simple_text() -> str:
    """Answers with one text."""
    return "This is a simple text response for testing."


def test_image_content() -> list[t.ImageContent]:
    """Answers with one image."""
    return [image()]


def test_audio_content() -> list[t.AudioContent]:
    """Answers with one sound."""
    return [t.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")]


def test_embedded_resource() -> list[t.EmbeddedResource]:
    """Answers with one resource."""
    return [embedded("test://embedded-resource", "This is an embedded resource content.")]


def test_multiple_content_types() -> list[t.ContentBlock]:
    """Answers with a text, an image and a resource."""
    return [
        t.TextContent(type="text", text="Multiple content types test:"),
        image(),
        embedded(
            "test://mixed-content-resource", '{"test": "data", "value": 123}', "application/json"
        ),
    ]


def test_error_handling() -> str:
    """Fails on purpose."""
    raise ToolError("This tool intentionally returns an error for testing")


async def test_tool_with_progress(ctx: Context[Any, Any]) -> str:
    """Reports progress three times."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"Completed step {done} of 100")
    return "done"


async def test_missing_capability(ctx: Context[Any, Any]) -> str:
    """Needs a client that samples."""
    capabilities = ctx.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        needed = t.ClientCapabilities(sampling=t.SamplingCapability())
        raise MCPError(
            code=t.MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="The client does not sample.",
            data={"requiredCapabilities": needed.model_dump(by_alias=True, exclude_none=True)},
        )
    return "ok"


def text_resource() -> str:
    """A text."""
    return "This is the content of the static text resource."


def binary_resource() -> bytes:
    """An image."""
    return base64.b64decode(PIXEL)


def template_resource(id: str) -> str:  # noqa: A002 the suite's word
    """A text with a parameter."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def test_simple_prompt() -> str:
    """No arguments."""
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """Two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
    """A resource and a text."""
    return [
        UserMessage(embedded(resourceUri, "Embedded resource content for testing.")),
        UserMessage("Please process the embedded resource above."),
    ]


def test_prompt_with_image() -> list[UserMessage]:
    """An image and a text."""
    return [UserMessage(image()), UserMessage("Please analyze the image above.")]


ADDRESS_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def json_schema_2020_12_tool() -> str:
    """Has an input schema of the newest dialect."""
    return "ok"


def furnish(server: MCPServer[Banks]) -> None:
    """Add what the suite calls by name."""
    tools = (
        test_simple_text,
        test_image_content,
        test_audio_content,
        test_embedded_resource,
        test_multiple_content_types,
        test_error_handling,
        test_tool_with_progress,
        test_missing_capability,
        json_schema_2020_12_tool,
    )
    for tool in tools:
        server.add_tool(tool, structured_output=False)
    made = server._tool_manager.get_tool("json_schema_2020_12_tool")  # noqa: SLF001 no other way in
    assert made is not None
    made.parameters = ADDRESS_SCHEMA
    server.resource("test://static-text", mime_type="text/plain")(text_resource)
    server.resource("test://static-binary", mime_type="image/png")(binary_resource)
    server.resource("test://template/{id}/data", mime_type="application/json")(template_resource)
    for prompt in (
        test_simple_prompt,
        test_prompt_with_arguments,
        test_prompt_with_embedded_resource,
        test_prompt_with_image,
    ):
        server.prompt()(prompt)


def main(port: int, home: Path) -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.WARNING)
    settings = Settings(
        home=home, index_auto=False, embedding_model="hash", requests_per_minute=0, listen_port=port
    )
    banks = Banks(settings, str(home), guarded=True)
    guard = build_guard(settings, resource=f"{own_url(settings)}{HTTP_PATH}")
    server = build_server(settings, banks=banks, guard=guard)
    furnish(server)
    viewing = Viewing(banks, Entrance(), guard.verifier)
    app = build_app(
        server, settings, transports=("streamable-http", "sse"), viewing=viewing, guard=guard
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        functools.partial(main, int(sys.argv[1]), Path(folder))()
