"""Tokens of an OAuth issuer: signed by its keys, for this server, now; anything else stays outside."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from serving import BOTH, LIST, bearer, connected, http, listening, made, served

from mcp_memory.domain.errors import CannotListen
from mcp_memory.server.issuer import Keys
from mcp_memory.server.listening import open_listener
from mcp_memory.settings import Settings

ISSUER = "https://issuer.example.org"
OURS = "https://memory.example.org"
AUDIENCE = f"{OURS}/mcp"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def jwk(key: rsa.RSAPrivateKey, name: str) -> dict[str, Any]:
    told = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {**told, "kid": name, "use": "sig", "alg": "RS256"}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "iat": now,
        "exp": now + 300,
        "scope": "openid memory:write",
    }
    return {k: v for k, v in {**told, **changes}.items() if v is not None}


def signed(
    key: Any = KEY, *, algorithm: str = "RS256", kid: str | None = "k1", **changes: Any
) -> str:
    headers = {"kid": kid} if kid else {}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def forged(algorithm: str) -> str:
    """A token whose header names an algorithm that anybody can satisfy."""
    part = [{"alg": algorithm, "kid": "k1", "typ": "JWT"}, claims()]
    texts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in part]
    return ".".join((*texts, ""))


def hmac_with_the_public_key() -> str:
    import hashlib
    import hmac

    part = [{"alg": "HS256", "kid": "k1"}, claims()]
    texts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in part]
    told = ".".join(texts)
    mark = hmac.new(PUBLIC_PEM, told.encode(), hashlib.sha256).digest()
    return f"{told}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


@pytest.fixture
def issued(settings: Settings, tmp_path: Path) -> Settings:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [jwk(KEY, "k1")]}), encoding="utf-8")
    return settings.model_copy(
        update={"oauth_issuer": ISSUER, "oauth_keys": str(keys), "public_url": OURS}
    )


async def test_a_signed_token_opens_the_bank_of_its_subject(issued: Settings) -> None:
    note = {"text": "The heron build needs LIBHERON_HOME.", "project": "shop"}
    asked = {"query": "LIBHERON_HOME heron build"}
    async with listening(issued) as listener:
        for transport in BOTH:
            async with connected(listener.url, signed(), transport=transport) as client:
                assert not (await client.call_tool("retain", note)).is_error
                found = await client.call_tool("search", asked)
                assert found.structured_content["found"]
                refused = await client.call_tool("delete", {"filter": {"contains": "heron"}})
                assert "Not allowed" in refused.content[0].text
        for other in (signed(sub="bob"), signed(sub="../../alice"), made(issued)):
            async with connected(listener.url, other) as client:
                found = await client.call_tool("search", asked)
                assert not found.structured_content["found"]
    homes = list((issued.home / "tenants").iterdir())
    assert len(homes) == 3
    assert all(each.name.startswith("jwt-") for each in homes)


async def test_projects_of_a_token_bind_it(issued: Settings) -> None:
    token = signed(projects=["shop"])
    async with listening(issued) as listener, connected(listener.url, token) as client:
        refused = await client.call_tool("search", {"query": "x", "project": "bank"})
        assert "does not reach" in refused.content[0].text


REFUSED: dict[str, Callable[[], str]] = {
    "another audience": lambda: signed(aud="https://elsewhere.example.org/mcp"),
    "our site, not this resource": lambda: signed(aud=OURS),
    "no audience": lambda: signed(aud=None),
    "another issuer": lambda: signed(iss="https://evil.example.org"),
    "expired": lambda: signed(exp=int(time.time()) - 60),
    "without end": lambda: signed(exp=None),
    "not yet": lambda: signed(nbf=int(time.time()) + 600),
    "nobody's": lambda: signed(sub=None),
    "projects that are no list": lambda: signed(projects="shop"),
    "another key": lambda: signed(OTHER),
    "another key, by its name": lambda: signed(OTHER, kid="k2"),
    "another key, unnamed": lambda: signed(OTHER, kid=None),
    "cut short": lambda: signed()[:-2],
    "no algorithm": lambda: forged("none"),
    "no algorithm, loudly": lambda: forged("NONE"),
    "the public key as a shared secret": hmac_with_the_public_key,
    "no token": lambda: "a.b.c",
    "a very long one": lambda: "a" * 20_000 + ".b.c",
}


async def test_a_token_that_is_not_for_us_now_is_refused(issued: Settings) -> None:
    known = f'resource_metadata="{OURS}/.well-known/oauth-protected-resource/mcp"'
    async with listening(issued) as listener, http(listener.url) as client:
        for what, make in REFUSED.items():
            for method, path in (("POST", "/mcp"), ("GET", "/sse")):
                body = LIST if method == "POST" else None
                answer = await client.request(method, path, json=body, headers=bearer(make()))
                assert answer.status_code == 401, what
                assert known in answer.headers["www-authenticate"]
        good = await client.post("/mcp", json=LIST, headers=bearer(signed()))
        assert good.status_code != 401


async def test_a_token_without_a_scope_of_ours_is_known_and_turned_away(issued: Settings) -> None:
    headers = bearer(signed(scope="openid"))
    async with listening(issued) as listener, http(listener.url, headers) as client:
        answer = await client.post("/mcp", json=LIST)
    assert answer.status_code == 403
    assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_the_metadata_names_resource_issuer_and_scopes(issued: Settings) -> None:
    async with listening(issued) as listener, http(listener.url) as client:
        told = (await client.get("/.well-known/oauth-protected-resource/mcp")).json()
    assert told["resource"] == AUDIENCE
    assert [each.rstrip("/") for each in told["authorization_servers"]] == [ISSUER]
    scopes = ["memory:read", "memory:write", "memory:approve", "memory:admin"]
    assert told["scopes_supported"] == scopes


async def test_all_may_share_the_servers_own_bank(issued: Settings) -> None:
    async with (
        listening(issued, oauth_tenant_claim="-") as listener,
        connected(listener.url, signed()) as alice,
        connected(listener.url, signed(sub="bob")) as bob,
    ):
        note = {"text": "The heron build needs LIBHERON_HOME.", "project": "shop"}
        await alice.call_tool("retain", note)
        found = await bob.call_tool("search", {"query": "LIBHERON_HOME heron build"})
        assert found.structured_content["found"]


async def test_keys_that_change_are_read_again_but_not_for_every_stranger(tmp_path: Path) -> None:
    file, now = tmp_path / "keys.json", 0.0
    file.write_text(json.dumps({"keys": [jwk(KEY, "k1"), {"kty": "oct", "k": "x"}]}), "utf-8")
    keys = Keys(ISSUER, str(file), clock=lambda: now)
    assert await keys.named("k1")
    assert await keys.named("k2") is None
    file.write_text(json.dumps({"keys": [jwk(OTHER, "k2")]}), "utf-8")
    assert await keys.named("k2") is None
    now = 31.0
    assert await keys.named("k2")
    assert await keys.named("k1") is None
    file.write_text("{", "utf-8")
    now = 5_000.0
    assert await keys.named("k2"), "keys that cannot be read leave those that were"


async def test_an_issuers_metadata_names_its_keys(settings: Settings) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    key = ec.generate_private_key(ec.SECP256R1())
    told = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))

    async def metadata(request: Request) -> JSONResponse:
        base = str(request.base_url).rstrip("/")
        return JSONResponse({"issuer": f"{base}/realm", "jwks_uri": f"{base}/keys"})

    async def keys(_: Request) -> JSONResponse:
        return JSONResponse({"keys": [{**told, "kid": "e1"}]})

    routes = [
        Route("/realm/.well-known/openid-configuration", metadata),
        Route("/keys", keys),
    ]
    async with served(Starlette(routes=routes)) as base:
        known = Keys(f"{base}/realm", "")
        assert await known.named("e1")
        assert await Keys(f"{base}/other", "").named("e1") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"oauth_issuer": "http://issuer.example.org"},
        {"oauth_issuer": ISSUER, "oauth_keys": "http://issuer.example.org/keys"},
        {"oauth_issuer": ISSUER, "oauth_keys": "/no/such/file"},
    ],
)
async def test_keys_that_could_be_forged_on_the_way_stop_the_start(
    settings: Settings, changes: dict[str, str]
) -> None:
    with pytest.raises(CannotListen, match="OAUTH"):
        async with open_listener(
            settings.model_copy(update={"listen_port": 0, **changes}), transports=BOTH
        ):
            pass
