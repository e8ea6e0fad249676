"""Resources, prompts, completions and subscriptions, as a client meets them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from serving import connected, listening, made
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.domain.models import Draft
from mcp_memory.server.app import build_server
from mcp_memory.settings import Settings

NOTE = "The heron build needs LIBHERON_HOME set to the vendored folder."


@pytest.fixture
async def filled(settings: Settings, tmp_path: object) -> dict[str, str]:
    """A bank with two sessions and a memory; their refs without the kind."""
    shop = settings.home.parent / "shop"
    async with open_bank(settings, cwd=str(shop)) as bank:
        await bank.index(written(settings.home.parent))
        memory = (await bank.retain(Draft(text=NOTE, title="Heron needs its home"))).ref
        sessions = await bank.listing("sessions")
    return {"memory": memory[2:], "session": sessions[0].ref[2:], "project": sessions[0].project}


@asynccontextmanager
async def attached(settings: Settings) -> AsyncIterator[Client]:
    shop = settings.home.parent / "shop"
    async with Client(build_server(settings, cwd=shop), raise_exceptions=True) as client:
        yield client


async def test_memories_episodes_and_sessions_have_addresses(
    settings: Settings, filled: dict[str, str]
) -> None:
    async with attached(settings) as client:
        templates = (await client.list_resource_templates()).resource_templates
        assert [each.uri_template for each in templates] == [
            "memory://{id}",
            "episode://{id}",
            "trajectory://{id}{?steps}",
        ]
        told = {
            f"memory://{filled['memory']}": "LIBHERON_HOME",
            f"trajectory://{filled['session']}": f"t:{filled['session']}",
            f"trajectory://{filled['session']}?steps=2-3": f"t:{filled['session']}#2-3",
            f"episode://{filled['session']}.1": f"t:{filled['session']}#1",
        }
        for uri, part in told.items():
            (content,) = (await client.read_resource(uri)).contents
            assert part in content.text
            assert "<recalled" in content.text
            assert content.mime_type == "text/markdown"


@pytest.mark.parametrize(
    "uri",
    [
        "memory://000000000000",
        "memory://..%2f..%2fetc%2fpasswd",
        "memory://../../etc/passwd",
        "trajectory://000000000000?steps=9-1",
        "episode://x",
        "file:///etc/passwd",
    ],
)
async def test_what_is_not_there_is_a_protocol_error(settings: Settings, uri: str) -> None:
    async with attached(settings) as client:
        with pytest.raises(MCPError) as raised:
            await client.read_resource(uri)
        assert raised.value.code == -32602
        assert raised.value.data == {"uri": uri}


async def test_the_newest_records_are_listed_once_the_bank_is_open(
    settings: Settings, filled: dict[str, str]
) -> None:
    async with attached(settings) as client:
        with anyio.fail_after(30):
            assert (await client.list_resources()).resources == []
        await client.call_tool("search", {"query": "heron"})
        listed = (await client.list_resources()).resources
        assert listed[0].uri == f"memory://{filled['memory']}"
        assert listed[0].title == f"Heron needs its home {NOTE[:55].rstrip()}…"
        assert f"trajectory://{filled['session']}" in [each.uri for each in listed]
        for each in listed:
            await client.read_resource(each.uri)


async def test_ids_and_projects_are_completed(settings: Settings, filled: dict[str, str]) -> None:
    async with attached(settings) as client:

        async def values(ref: str, typed: str, name: str = "id") -> list[str]:
            known = (
                PromptReference(type="ref/prompt", name=ref)
                if "-" in ref
                else ResourceTemplateReference(type="ref/resource", uri=ref)
            )
            return (await client.complete(known, {"name": name, "value": typed})).completion.values

        assert await values("memory://{id}", filled["memory"][:4]) == [filled["memory"]]
        assert await values("memory://{id}", "heron NEEDS") == [filled["memory"]]
        assert await values("memory://{id}", "no such") == []
        assert filled["session"] in await values("trajectory://{id}{?steps}", "")
        assert f"{filled['session']}.1" in await values("episode://{id}", "")
        assert await values("consolidate-now", "shop", "project") == [filled["project"]]
        assert await values("recall-before-work", "x", "task") == []


async def test_prompts_say_which_tools_to_use(settings: Settings) -> None:
    async with attached(settings) as client:
        prompts = (await client.list_prompts()).prompts
        assert [each.name for each in prompts] == [
            "recall-before-work",
            "where-we-left-off",
            "retain-after-work",
            "consolidate-now",
        ]
        assert all(each.description for each in prompts)
        named = {
            "recall-before-work": "`runbook`",
            "where-we-left-off": "`search` without a query",
            "retain-after-work": "`retain`",
        }
        for prompt in prompts:
            given = {each.name: "shop" for each in prompt.arguments or ()}
            (message,) = (await client.get_prompt(prompt.name, given)).messages
            assert named.get(prompt.name, "`consolidate`") in message.content.text
            assert '"shop"' in message.content.text


async def test_a_listener_hears_of_a_change_and_only_of_its_own_tenant(settings: Settings) -> None:
    mine, theirs = made(settings, tenant="mine"), made(settings, "other", tenant="theirs")
    async with (
        listening(settings) as listener,
        connected(listener.url, mine) as client,
        connected(listener.url, theirs) as other,
    ):
        kept = await client.call_tool("retain", {"text": NOTE, "project": "shop"})
        ref = kept.structured_content["ref"]
        uri = f"memory://{ref[2:]}"
        async with client.listen(
            resources_list_changed=True, resource_subscriptions=[uri]
        ) as heard:
            await other.call_tool("retain", {"text": NOTE, "project": "shop"})
            arguments = {"text": f"{NOTE} Always.", "supersedes": ref, "project": "shop"}
            await client.call_tool("retain", arguments)
            with anyio.fail_after(30):
                first, second = await anext(heard), await anext(heard)
        assert getattr(first, "uri", "") == uri
        assert type(second).__name__ == "ResourcesListChanged"


async def test_a_bound_token_is_listed_and_completed_only_its_own(
    settings: Settings, filled: dict[str, str]
) -> None:
    bound = made(settings, projects=("elsewhere",))
    whole = made(settings, "whole")
    async with listening(settings) as listener:
        for token, count in ((bound, 0), (whole, 3)):
            async with connected(listener.url, token) as client:
                await client.call_tool("search", {"query": "heron"})
                assert len((await client.list_resources()).resources) == count
                ref = ResourceTemplateReference(type="ref/resource", uri="memory://{id}")
                found = await client.complete(ref, {"name": "id", "value": ""})
                assert len(found.completion.values) == bool(count)
                uri = f"memory://{filled['memory']}"
                if not count:
                    with pytest.raises(MCPError):
                        await client.read_resource(uri)


@pytest.mark.parametrize(("name", "said"), [("no-such", "Unknown"), ("recall-before-work", "task")])
async def test_a_prompt_asked_for_wrongly_is_a_protocol_error_that_says_why(
    settings: Settings, name: str, said: str
) -> None:
    async with attached(settings) as client:
        with pytest.raises(MCPError) as raised:
            await client.get_prompt(name)
        assert raised.value.code == -32602
        assert said in raised.value.message
        assert "consolidate-now" in raised.value.message
