"""The remote server under attack: who may call, what of, how much; refused, and logged without contents."""

import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest
from click.testing import CliRunner
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from serving import (
    BOTH,
    INITIALIZE,
    LIST,
    MODERN,
    bearer,
    connected,
    expired,
    http,
    listening,
    made,
    started,
)
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.cli import cli
from mcp_memory.domain.access import AccessTokens
from mcp_memory.domain.errors import CannotListen
from mcp_memory.server import authentication, held
from mcp_memory.server.buckets import Buckets
from mcp_memory.server.gate import RateLimit
from mcp_memory.server.listening import open_listener
from mcp_memory.server.punctual import PunctualProtocol
from mcp_memory.settings import Settings

NOTE = "The heron build needs LIBHERON_HOME set to the vendored folder."


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org", ""])
async def test_an_address_beyond_loopback_is_refused_without_authentication(
    settings: Settings, host: str
) -> None:
    beyond = settings.model_copy(update={"listen_host": host, "listen_port": 0})
    with pytest.raises(CannotListen, match="token make"):
        async with open_listener(beyond, transports=BOTH):
            pass


async def test_all_addresses_are_refused_without_the_names_that_clients_use(
    settings: Settings,
) -> None:
    made(settings)
    beyond = settings.model_copy(update={"listen_host": "0.0.0.0", "listen_port": 0})
    with pytest.raises(CannotListen, match="PUBLIC_URL"):
        async with open_listener(beyond, transports=BOTH):
            pass


async def test_all_addresses_are_served_with_tokens_and_names(settings: Settings) -> None:
    token = made(settings)
    named = {"listen_host": "0.0.0.0", "public_url": "https://memory.example.org"}
    async with listening(settings, **named) as listener:
        url = listener.url.replace("0.0.0.0", "127.0.0.1")
        async with http(url, bearer(token) | {"host": "memory.example.org"}) as client:
            assert (await client.post("/mcp", json=INITIALIZE)).status_code == 200


async def test_a_taken_port_is_an_error_that_says_what_to_do(settings: Settings) -> None:
    async with listening(settings) as listener:
        taken = settings.model_copy(update={"listen_port": int(listener.url.rpartition(":")[2])})
        with pytest.raises(CannotListen, match="--port"):
            async with open_listener(taken, transports=BOTH):
                pass


@pytest.mark.parametrize("kind", ["none", "wrong", "expired", "revoked", "malformed", "basic"])
async def test_only_a_live_token_opens_the_door(settings: Settings, kind: str) -> None:
    good, old = made(settings), expired(settings)
    gone = made(settings, "gone")
    AccessTokens(settings.access_dir).revoke("gone", now=datetime.now(UTC))
    shown = {
        "none": None,
        "wrong": f"Bearer {good[:-3]}abc",
        "expired": f"Bearer {old}",
        "revoked": f"Bearer {gone}",
        "malformed": "Bearer mcpm_../../etc/passwd_x",
        "basic": f"Basic {good}",
    }[kind]
    headers = {"authorization": shown} if shown else {}
    async with listening(settings) as listener, http(listener.url, headers) as client:
        for path in ("/mcp", "/sse", "/messages/?session_id=" + "0" * 32):
            method = "GET" if path == "/sse" else "POST"
            answer = await client.request(method, path, json=LIST if method == "POST" else None)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert good not in answer.text


async def test_a_token_that_is_revoked_closes_a_session_that_is_open(settings: Settings) -> None:
    token = made(settings)
    async with listening(settings) as listener, http(listener.url, bearer(token)) as client:
        begun = await client.post("/mcp", json=INITIALIZE)
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        assert (await client.post("/mcp", json=LIST, headers=session)).status_code == 200
        AccessTokens(settings.access_dir).revoke("laptop", now=datetime.now(UTC))
        assert (await client.post("/mcp", json=LIST, headers=session)).status_code == 401


@pytest.mark.parametrize("transport", ["GET /sse", "POST /mcp"])
async def test_a_token_that_is_revoked_ends_its_streams(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(authentication, "AGAIN_SECONDS", 0.05)
    token, other = made(settings), made(settings, "other")
    listen = {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "subscriptions/listen",
        "params": {"notifications": {"resourcesListChanged": True}, "_meta": MODERN},
    }
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen"}
    method, path = transport.split()
    body = listen if method == "POST" else None

    async with listening(settings) as listener, http(listener.url, headers) as client:

        async def read(token: str, opened: anyio.Event) -> None:
            asked = client.stream(method, path, json=body, headers=bearer(token))
            async with asked as answer:
                assert answer.status_code == 200
                opened.set()
                assert [part async for part in answer.aiter_text()]

        with anyio.move_on_after(0.3) as patience:
            await read(other, anyio.Event())
        assert patience.cancelled_caught, "a stream of a good token goes on"
        opened = anyio.Event()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, token, opened)
                await opened.wait()
                AccessTokens(settings.access_dir).revoke("laptop", now=datetime.now(UTC))


async def test_a_session_of_another_caller_does_not_exist(settings: Settings) -> None:
    token, other = made(settings), made(settings, "other")
    async with listening(settings) as listener, http(listener.url) as client:
        begun = await client.post("/mcp", json=INITIALIZE, headers=bearer(token))
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        for method, body in (("POST", LIST), ("DELETE", None)):
            stolen = await client.request(
                method, "/mcp", json=body, headers=bearer(other) | session
            )
            assert stolen.status_code == 404
        async with client.stream("GET", "/sse", headers=bearer(token)) as stream:
            lines = stream.aiter_lines()
            path = await _endpoint(lines)
            stolen = await client.post(path, json=INITIALIZE, headers=bearer(other))
            assert stolen.status_code == 404
            own = await client.post(path, json=INITIALIZE, headers=bearer(token))
            assert own.status_code == 202


@pytest.mark.parametrize("transport", BOTH)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_caller_may_do_what_its_scope_says(
    settings: Settings, transport: str, mode: str
) -> None:
    asked = {
        "search": ("read", {"query": "heron"}),
        "retain": ("write", {"text": NOTE, "project": "shop"}),
        "delete": ("admin", {"filter": {"contains": "heron"}}),
    }
    tokens = {scope: made(settings, scope, scope=scope) for scope in ("read", "write", "admin")}
    order = ["read", "write", "admin"]
    async with listening(settings) as listener:
        for scope, token in tokens.items():
            async with connected(listener.url, token, transport=transport, mode=mode) as client:
                for tool, (needed, arguments) in asked.items():
                    result = await client.call_tool(tool, arguments)
                    refused = "Not allowed" in result.content[0].text
                    assert refused == (order.index(scope) < order.index(needed)), (scope, tool)
                    assert result.is_error or not refused


async def test_a_tenant_has_a_bank_of_its_own(settings: Settings) -> None:
    mine, theirs = made(settings, tenant="mine"), made(settings, "other", tenant="theirs")
    async with listening(settings) as listener:
        async with connected(listener.url, mine) as client:
            kept = await client.call_tool("retain", {"text": NOTE, "project": "user"})
            ref = kept.structured_content["ref"]
            found = await client.call_tool("search", {"query": "LIBHERON_HOME heron build"})
            assert found.structured_content["found"]
        async with connected(listener.url, theirs) as client:
            found = await client.call_tool("search", {"query": "LIBHERON_HOME heron build"})
            assert not found.structured_content["found"]
            assert not found.structured_content.get("nearest")
            assert (await client.call_tool("fetch", {"refs": [ref]})).is_error
    assert (settings.home / "tenants" / "mine" / "store").is_dir()


async def test_a_token_bound_to_projects_reaches_no_other(settings: Settings) -> None:
    whole = made(settings, scope="admin")
    bound = made(settings, "bound", scope="admin", projects=("shop",))
    async with listening(settings) as listener:
        async with connected(listener.url, whole) as client:
            kept = await client.call_tool("retain", {"text": NOTE, "project": "/src/bank"})
            ref, batch = kept.structured_content["ref"], kept.structured_content["batch"]
        async with connected(listener.url, bound) as client:
            refused = {
                "elsewhere": ("search", {"query": "heron", "project": "/src/bank"}),
                "everywhere": ("search", {"query": "heron", "project": "*"}),
                "fetched": ("fetch", {"refs": [ref]}),
                "written": ("retain", {"text": "x heron", "project": "/src/bank"}),
                "for everyone": ("retain", {"text": "x heron", "project": "user"}),
                "superseded": ("retain", {"text": "x heron", "supersedes": ref}),
                "used": ("retain", {"used": [ref], "outcome": "failure"}),
                "deleted": ("delete", {"refs": [ref]}),
                "filtered": ("delete", {"filter": {"project": "/src/bank"}}),
                "undone": ("consolidate", {"action": "undo", "batch": batch}),
                "planned": ("consolidate", {"project": "*"}),
                "tasked": ("runbook", {"task": "heron", "project": "/src/bank"}),
                "retired": ("consolidate", {"action": "apply", "retire": [ref]}),
            }
            for what, (tool, arguments) in refused.items():
                result = await client.call_tool(tool, arguments)
                assert result.is_error, what
                assert "LIBHERON" not in result.content[0].text, what
            own = await client.call_tool("search", {"query": "LIBHERON_HOME heron build"})
            assert not own.structured_content["found"]
            assert "/src/bank" not in own.content[0].text
            own = await client.call_tool("retain", {"text": "The shop needs heron."})
            assert own.structured_content["created"]


async def test_over_the_network_no_answer_names_files_of_the_server(settings: Settings) -> None:
    token = made(settings)
    async with listening(settings) as listener, connected(listener.url, token) as client:
        result = await client.call_tool("retain", {"text": NOTE})
        assert "which project" in result.content[0].text
        await client.call_tool("retain", {"text": NOTE, "project": "shop"})
        for tool, arguments in (("search", {"query": NOTE}), ("runbook", {"task": NOTE})):
            result = await client.call_tool(tool, arguments)
            assert str(settings.home) not in result.content[0].text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8765"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": "127.0.0.1@evil.example"}, 421),
        ({"host": "[::1].evil.example"}, 421),
        ({"host": "[::1]evil.example:80"}, 421),
        ({"host": "localhost:80:evil.example"}, 421),
        ({"host": "localhost/evil.example"}, 421),
        ({"host": "localhost#evil.example"}, 421),
        ({"origin": "http://[::1].evil.example"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil.example"}, 403),
        ({"origin": "file://localhost"}, 403),
    ],
)
async def test_pages_of_other_origins_and_rebound_names_are_turned_away(
    settings: Settings, headers: dict[str, str], status: int
) -> None:
    async with listening(settings) as listener, http(listener.url, headers) as client:
        for path in ("/mcp", "/sse", "/messages/", "/nowhere"):
            method = "GET" if path == "/sse" else "POST"
            assert (await client.request(method, path)).status_code == status, path


async def test_a_body_of_a_hundred_megabytes_is_refused_unread(settings: Settings) -> None:
    token = made(settings)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000_000

    async with listening(settings) as listener:
        for path in ("/mcp", "/messages/?session_id=" + "0" * 32):
            for who, status in ((token, 413), ("mcpm_nobody", 401)):
                declared = await _raw(listener.url, path, who, "content-length: 100000000")
                assert f" {status} " in declared.splitlines()[0]
                async with http(listener.url, bearer(who)) as client:
                    try:
                        streamed = await client.post(path, content=pieces())
                        assert streamed.status_code == status
                    except (httpx2.WriteError, httpx2.ReadError):
                        pass  # hung up on within the hundred megabytes


async def test_slow_requests_are_hung_up_on(settings: Settings) -> None:
    token = made(settings)
    async with listening(settings, request_seconds=0.3) as listener:
        with anyio.fail_after(30):
            late = await _raw(listener.url, "/mcp", token, "content-length: 10")
            assert " 408 " in late.splitlines()[0]
            port = int(listener.url.rpartition(":")[2])
            for begun in (b"", b"POST /mcp HTTP/1.1\r\nHost: 127"):
                stream = await anyio.connect_tcp("127.0.0.1", port)
                async with stream:
                    await stream.send(begun or b"")
                    with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                        await stream.receive()


async def test_a_thousand_silent_connections_leave_room_again(settings: Settings) -> None:
    token = made(settings)
    async with listening(settings, request_seconds=0.5, connections=512) as listener:
        port = int(listener.url.rpartition(":")[2])
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
        async with http(listener.url, bearer(token)) as client:
            assert (await client.post("/mcp", json=INITIALIZE)).status_code == 200
        silent += [socket.create_connection(("127.0.0.1", port)) for _ in range(600)]
        async with http(listener.url, bearer(token)) as client:
            statuses = set()
            with anyio.fail_after(30):
                while 200 not in statuses:
                    statuses.add((await client.post("/mcp", json=INITIALIZE)).status_code)
        assert statuses <= {200, 503}
        for each in silent:
            each.close()


async def test_the_parts_of_an_answer_do_not_wait_for_each_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[int] = []

    class Watched(PunctualProtocol):
        def on_response_complete(self) -> None:
            taken = self.transport.get_extra_info("socket")
            at_once.append(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            super().on_response_complete()

    monkeypatch.setattr("mcp_memory.server.listening.PunctualProtocol", Watched)
    async with listening(settings) as listener, http(listener.url) as client:
        await client.get("/healthz")
    assert at_once == [1]


@pytest.mark.parametrize(
    "begun",
    [b"", b"POST /mcp HTTP/1.1\r\nHost: 127", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ids=["silent", "half a request", "kept alive"],
)
async def test_one_address_with_540_open_connections_keeps_nobody_else_out(
    settings: Settings, begun: bytes
) -> None:
    token = made(settings)
    async with listening(settings) as listener:
        port = int(listener.url.rpartition(":")[2])
        held = []
        for _ in range(540):
            held.append(
                socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
            )
            held[-1].sendall(begun)
        with anyio.fail_after(settings.request_seconds / 2):
            async with http(listener.url, bearer(token)) as client:
                assert (await client.post("/mcp", json=INITIALIZE)).status_code == 200
        for each in held:
            each.close()


async def test_too_many_requests_are_told_when_to_come_again(settings: Settings) -> None:
    token, other = made(settings), made(settings, "other")
    async with listening(settings, requests_per_minute=5) as listener, http(listener.url) as client:
        answers = [await client.post("/mcp", json=LIST, headers=bearer(token)) for _ in range(7)]
        assert [each.status_code == 429 for each in answers] == [False] * 5 + [True] * 2
        assert int(answers[-1].headers["retry-after"]) <= 12
        assert (await client.post("/mcp", json=LIST, headers=bearer(other))).status_code != 429
        assert (await client.get("/healthz")).status_code == 200


KNOWN = {"user": AuthenticatedUser(AccessToken(token="", client_id="token:1", scopes=[]))}


async def test_a_caller_who_waits_may_come_again() -> None:
    now, let_in = 0.0, 0

    async def app(*_: object) -> None:
        nonlocal let_in
        let_in += 1

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        del message

    limit = RateLimit(app, per_minute=60, buckets=Buckets(lambda: now))
    for at, expected in ((0.0, 60), (0.5, 60), (2.0, 62), (600.0, 122)):
        now = at
        for _ in range(70):
            await limit({**KNOWN, "type": "http", "path": "/mcp"}, receive, send)
        assert let_in == expected, at


@pytest.mark.parametrize("transport", ["streamable-http", "sse"])
async def test_a_token_made_while_the_server_runs_closes_the_door_at_the_next_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    # A client of SSE hears of a refusal by the end of its stream, which the server looks to so often.
    monkeypatch.setattr(authentication, "AGAIN_SECONDS", 0.05)
    async with listening(settings) as listener:
        async with connected(listener.url, transport=transport) as early:
            assert not (await early.call_tool("search", {"query": "anything"})).is_error
            token = made(settings)
            with pytest.raises(Exception, match=r"401|error response|[Cc]onnection closed"):
                await early.call_tool("search", {"query": "anything"})
        async with http(listener.url) as client:
            for path in ("/mcp", "/sse", "/messages/", "/memory/holdings"):
                answered = await client.post(path, json=INITIALIZE)
                assert answered.status_code in {401, 405, 404}, path
        async with connected(listener.url, token, transport=transport) as known:
            assert not (await known.call_tool("search", {"query": "anything"})).is_error


async def test_over_the_network_a_caller_without_a_project_asks_all_of_them(
    settings: Settings, tmp_path: Path
) -> None:
    paths = written(tmp_path)
    async with open_bank(settings, cwd=str(tmp_path)) as bank:
        await bank.index(paths)
    async with listening(settings) as listener, connected(listener.url) as client:
        found = await client.call_tool("search", {"query": "invoice encoding"})
        kept = await client.call_tool("retain", {"text": "invoices are UTF-8", "kind": "fact"})
    assert found.structured_content is not None
    assert found.structured_content["found"]
    assert kept.is_error


async def test_guessing_tokens_is_slowed_down(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A bucket fills by two a second: on a slow machine by more than the guesses take.
    monkeypatch.setattr(held, "Buckets", lambda: Buckets(lambda: 0.0))
    made(settings)
    async with listening(settings) as listener, http(listener.url) as client:
        guesses = [
            (await client.post("/mcp", json=LIST, headers=bearer(f"mcpm_{n}"))).status_code
            for n in range(125)
        ]
    assert set(guesses[:120]) == {401}
    assert guesses[-1] == 429


async def test_a_ref_is_never_a_path(settings: Settings) -> None:
    token = made(settings, scope="admin")
    refs = ("../../etc/passwd", "m:../../../etc", "t:%2e%2e%2f#1", "C:\\x", "m:" + "a" * 9999)
    async with listening(settings) as listener, connected(listener.url, token) as client:
        for ref in refs:
            for tool in ("fetch", "delete"):
                result = await client.call_tool(tool, {"refs": [ref]})
                assert result.is_error, ref
                assert "root:" not in result.content[0].text


async def test_the_log_names_callers_and_paths_and_no_contents(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = made(settings)
    async with listening(settings) as listener:
        for transport in BOTH:
            async with connected(listener.url, token, transport=transport) as client:
                await client.call_tool("retain", {"text": NOTE, "project": "shop"})
                await client.call_tool("search", {"query": "heronquery"})
                await client.call_tool("fetch", {"refs": ["heronref"]})
        async with http(listener.url, bearer("mcpm_guess")) as client:
            await client.post("/heron-path?heron=1", json={"heron": 1})
    # The test's own clients log as well; the server's lines are those of its own loggers.
    own = [r for r in caplog.records if not r.name.startswith(("mcp.client", "httpx2", "httpcore"))]
    told = "\n".join(logging.Formatter().format(record) for record in own)
    assert f"caller=token:{token.split('_')[1]}" in told
    assert "POST /mcp 200" in told
    assert "(other)" in told
    for secret in (token, token.split("_", 2)[2], "mcpm_guess", "heron", "LIBHERON"):
        assert secret not in told


async def test_health_and_readiness_answer_without_a_token(settings: Settings) -> None:
    made(settings)
    async with listening(settings) as listener, http(listener.url, {"host": "10.0.0.9"}) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        with anyio.fail_after(20):
            while (await client.get("/readyz")).status_code == 503:
                await anyio.sleep(0.02)
        assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_a_store_that_cannot_be_opened_is_not_ready(settings: Settings) -> None:
    (settings.home / "store").mkdir(parents=True)
    meta = settings.home / "store" / "meta.json"
    meta.write_text('{"schema": 99, "model": "x", "dim": 1, "key": "00"}')
    async with listening(settings) as listener, http(listener.url) as client:
        with anyio.fail_after(20):
            async with connected(listener.url) as caller:
                assert (await caller.call_tool("search", {"query": "x"})).is_error
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert str(settings.home) not in answer.text


async def test_tls_is_spoken_with_certificate_files(settings: Settings, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    files = {"tls_certificate": certificate, "tls_key": key}
    async with listening(settings, **files) as listener:
        assert listener.url.startswith("https://")
        trust = ssl.create_default_context(cafile=str(certificate))
        async with httpx2.AsyncClient(base_url=listener.url, verify=trust) as client:
            assert (await client.get("/healthz")).status_code == 200
    files["tls_key"] = certificate
    with pytest.raises(CannotListen, match="TLS_CERTIFICATE"):
        async with listening(settings, **files):
            pass


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    files = (folder / "certificate.pem", folder / "key.pem")
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


async def _endpoint(lines: AsyncIterator[str]) -> str:
    """Where an SSE stream wants its messages; the caller keeps `lines`, or the stream closes."""
    while not (line := await anext(lines)).startswith("data:"):
        pass
    return line.removeprefix("data:").strip()


async def _raw(url: str, path: str, token: str, header: str) -> str:
    """The answer to a request that declares a body and sends none of it."""
    port = int(url.rpartition(":")[2])
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        lines = (
            f"POST {path} HTTP/1.1",
            "host: 127.0.0.1",
            f"authorization: Bearer {token}",
            "content-type: application/json",
            "accept: application/json, text/event-stream",
            header,
        )
        await stream.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        with anyio.fail_after(30):
            return (await stream.receive()).decode()


async def test_banks_of_idle_tenants_make_room_and_open_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST_OPEN", 2)
    tokens = [made(settings, f"t{n}", tenant=f"tenant-{n}") for n in range(4)]
    async with listening(settings) as listener:
        for round_ in range(2):
            for token in tokens:
                async with connected(listener.url, token) as client:
                    note = {"text": f"{NOTE} Again {round_}.", "project": "shop"}
                    assert not (await client.call_tool("retain", note)).is_error
                    found = await client.call_tool("search", {"query": "LIBHERON_HOME heron"})
                    assert found.structured_content["found"]


async def test_a_server_that_is_told_to_stop_finishes_what_it_began(home: Path) -> None:
    kept: list[bool] = []
    with started(home) as (process, url):
        async with connected(url) as client, http(url) as plain:

            async def keep(number: int) -> None:
                note = {"text": f"{NOTE} Number {number}.", "project": "user"}
                kept.append(not (await client.call_tool("retain", note)).is_error)

            await client.call_tool("search", {"query": "heron"})
            async with (
                plain.stream("GET", "/sse") as stream,
                client.listen(resources_list_changed=True),
            ):
                lines = stream.aiter_lines()
                await _endpoint(lines)
                async with anyio.create_task_group() as tasks:
                    for number in range(8):
                        tasks.start_soon(keep, number)
                    await anyio.wait_all_tasks_blocked()
                    process.send_signal(signal.SIGTERM)
                with anyio.fail_after(30):
                    code = await anyio.to_thread.run_sync(process.wait)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert kept == [True] * 8
    assert code in {0, -signal.SIGTERM}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--transport", "http", "--host", "0.0.0.0"], "mcp-memory token make"),
        (["--transport", "stdio", "--transport", "http"], "a process of its own"),
        (["--transport", "http", "--port", "70000"], "not in the range"),
        (["--transport", "carrier-pigeon"], "carrier-pigeon"),
    ],
)
def test_the_command_refuses_what_cannot_be_served(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    done = CliRunner().invoke(cli, ["serve", *arguments])
    assert done.exit_code != 0
    assert said in done.output


async def test_loopback_of_the_newer_protocol_is_served_under_its_name(settings: Settings) -> None:
    async with listening(settings, listen_host="::1") as listener:
        assert listener.url.startswith("http://[::1]:")
        async with connected(listener.url) as client:
            assert len((await client.list_tools()).tools) == 6


async def test_only_the_transports_asked_for_are_served(settings: Settings) -> None:
    there = settings.model_copy(update={"listen_port": 0})
    async with open_listener(there, transports=("sse",)) as listener, http(listener.url) as client:
        assert (await client.post("/mcp", json=LIST)).status_code == 404
        async with client.stream("GET", "/sse") as stream:
            assert stream.status_code == 200


async def test_without_sessions_any_replica_answers(settings: Settings) -> None:
    token = made(settings)
    async with (
        listening(settings, stateless=True) as one,
        listening(settings, stateless=True) as other,
        http(one.url, bearer(token)) as client,
    ):
        begun = await client.post("/mcp", json=INITIALIZE)
        assert "mcp-session-id" not in begun.headers
        version = {"mcp-protocol-version": "2025-11-25"}
        listed = await client.post(f"{other.url}/mcp", json=LIST, headers=version)
        assert listed.status_code == 200
        assert "runbook" in listed.text


async def test_a_proxy_that_is_trusted_says_whose_request_it_is(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for proxies, seen in (((), "from=127.0.0.1"), (("127.0.0.1",), "from=192.0.2.7")):
        caplog.clear()
        async with (
            listening(settings, trusted_proxies=proxies) as listener,
            http(listener.url, {"x-forwarded-for": "192.0.2.7"}) as client,
        ):
            await client.get("/healthz")
        assert seen in caplog.text


async def test_the_ledger_names_who_changed_what(settings: Settings) -> None:
    token = made(settings)
    async with listening(settings) as listener, connected(listener.url, token) as client:
        await client.call_tool("retain", {"text": NOTE, "project": "shop"})
    async with open_bank(settings) as bank:
        (change,) = await bank.listing("changes")
    assert f"token:{token.split('_')[1]}" in change.marks
