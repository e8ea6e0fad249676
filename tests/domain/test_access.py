"""Access tokens: told once, kept as hashes, dead when revoked or expired."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcp_memory.cli import cli
from mcp_memory.domain.access import Access, AccessTokens, Wanted, scope_of
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.text import redaction

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> AccessTokens:
    return AccessTokens(tmp_path / "access")


def test_a_token_is_known_again_and_kept_as_a_hash(tokens: AccessTokens, tmp_path: Path) -> None:
    record, token = tokens.make(Wanted(name="laptop", projects=("shop",)), now=NOW)
    assert tokens.verify(token, now=NOW) == record
    assert record.access == Access(
        caller=f"token:{record.id}", name="laptop", scope="write", projects=("shop",), tenant=""
    )
    (file,) = (tmp_path / "access").iterdir()
    secret = token.rpartition("_")[2] if "_" not in token[18:] else token[18:]
    assert secret not in file.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "x",
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: token.replace("mcpm_", "MCPM_"),
        lambda token: "mcpm_000000000000_" + token[18:],
        lambda _: "mcpm_../../../../x_" + "a" * 43,
        lambda _: "",
        lambda _: "\u0660" * 61,
    ],
)
def test_what_is_nearly_a_token_is_none(tokens: AccessTokens, spoil: object) -> None:
    _, token = tokens.make(Wanted(name="laptop"), now=NOW)
    assert callable(spoil)
    assert tokens.verify(spoil(token), now=NOW) is None


def test_a_revoked_or_expired_token_opens_nothing(tokens: AccessTokens) -> None:
    end = NOW + timedelta(days=1)
    _, token = tokens.make(Wanted(name="a", expires_at=end), now=NOW)
    assert tokens.verify(token, now=end - timedelta(seconds=1))
    assert tokens.verify(token, now=end) is None
    (revoked,) = tokens.revoke("a", now=NOW)
    assert revoked.standing(NOW) == "revoked"
    assert tokens.verify(token, now=NOW) is None
    assert tokens.any
    with pytest.raises(InvalidInput, match="token list"):
        tokens.revoke("a", now=NOW)


def test_a_damaged_file_is_no_token_and_harms_no_other(
    tokens: AccessTokens, tmp_path: Path
) -> None:
    _, token = tokens.make(Wanted(name="a"), now=NOW)
    record, other = tokens.make(Wanted(name="b"), now=NOW)
    (tmp_path / "access" / f"{record.id}.json").write_text("{", encoding="utf-8")
    assert tokens.verify(token, now=NOW)
    assert tokens.verify(other, now=NOW) is None
    assert [each.name for each in tokens.listed()] == ["a"]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(name=""),
        Wanted(name="a\nb"),
        Wanted(name="a", tenant="../b"),
        Wanted(name="a", tenant="A"),
        Wanted(name="a", expires_at=NOW),
    ],
)
def test_what_cannot_be_a_token_is_not_made(tokens: AccessTokens, wanted: Wanted) -> None:
    with pytest.raises(InvalidInput):
        tokens.make(wanted, now=NOW)
    assert not tokens.any


def test_a_scope_holds_those_below_it() -> None:
    access = Access(caller="x", scope="write")
    assert [access.holds(scope) for scope in ("read", "write", "admin")] == [True, True, False]
    assert scope_of(["openid", "memory:read", "write"]) == "write"
    assert scope_of(["openid"]) is None


def test_a_token_in_a_transcript_is_masked(tokens: AccessTokens) -> None:
    for _ in range(20):
        _, token = tokens.make(Wanted(name="laptop"), now=NOW)
        assert token[18:] not in redaction.redact(f"curl -H 'x: {token}' http://x").text


def test_the_commands_make_list_and_revoke(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    run = CliRunner().invoke
    made = run(cli, ["token", "make", "laptop", "--scope", "read", "--project", "shop"])
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert AccessTokens(home / "access").verify(token, now=datetime.now(UTC))
    listed = run(cli, ["token", "list"]).output
    assert "laptop · live · read · projects shop · until" in listed
    assert token not in listed
    assert "revoked" in run(cli, ["token", "revoke", "laptop"]).output
    assert "revoked" in run(cli, ["token", "list"]).output
    again = run(cli, ["token", "revoke", "laptop"])
    assert again.exit_code == 2
    assert "token list" in again.output
