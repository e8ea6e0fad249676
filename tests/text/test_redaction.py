"""Redaction: secrets go, what only looks like one stays, and nothing is masked twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text.redaction import WINDOW, redact, redact_value

KEYS = {
    "aws": "AKIA" + "Q3EXAMPL7QDUMMY9"[:16],
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "gitlab": "glpat-" + "x9Yz8Wv7Ut6Sr5Qp4On3",
    "slack": "xoxb-" + "123456789012-abcdefGHIJKL1234",
    "stripe": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "openai": "sk-proj-" + "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0",
    "google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "npm": "npm_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
}
KEPT = (
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "9fceb02",
    "550e8400-e29b-41d4-a716-446655440000",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "/home/u/.cache/pip/http/a/b/c/d/0123456789abcdef",
    "C:\\Users\\u\\repo\\token_store.py",
    "toolu_01A2b3C4d5E6f7G8h9J0",
    "msg_01XFDUDYJgAACzvnptvVoYEL",
    "https://example.com/api/v1/token?page=2",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 user@host",
    "h1:WpEdBNmjeRw9b7Xk0bX0Y2H0fLrgTUgGfyTNzvtNnIY=",
)


@pytest.mark.parametrize("family", KEYS)
@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_a_providers_key_is_masked_wherever_it_stands(family: str, before: str, after: str) -> None:
    text = f"{before} {KEYS[family]} {after}"
    assert KEYS[family] not in redact(text).text


@pytest.mark.parametrize("family", KEYS)
@pytest.mark.parametrize("frame", ["{}", '"{}"', "x={}\n", "line\\n{}\\nline", "(`{}`)", "{},"])
def test_a_key_is_masked_in_quotes_escapes_and_lists(family: str, frame: str) -> None:
    assert KEYS[family] not in redact(frame.format(KEYS[family])).text


@pytest.mark.parametrize(
    "text",
    [
        "password = 'hunter2x9!'",
        'export DB_PASSWORD="S3cr3t-pw9"',
        '{"api_key": "zx9Kd83jdkslQ8"}',
        "postgres://app:S3cretPw9@db.internal/app",
        "Authorization: Bearer abcdef0123456789ABCDEF",
        "curl -u admin:dG9rZW4x http://127.0.0.1",
        "tool --token 9kD83jdkslQ8zx",
        "machine example.com login me password hunter2x9",
        "root:$6$saltsalt$Kx8s7d6f5g4h3j2k1l0Qw9e8r7t6y5:19000:0",
    ],
)
def test_a_value_beside_a_telling_name_is_masked(text: str) -> None:
    assert "[masked:" in redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DB_PASSWORD']",
        "token: ${GITHUB_TOKEN}",
        "def login(password: str, token: str | None = None) -> None:",
        "const secret = process.env.SECRET;",
        "password=<your password>",
        "the token budget of an answer is 1500 tokens: fine",
        "secret: example",
        "if token == previous_token:",
        "api_key=args.api_key",
    ],
)
def test_code_and_prose_about_secrets_stay(text: str) -> None:
    assert redact(text).text is text


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("frame", ["{}", "commit {} by me", '{{"id": "{}"}}', "see ({})."])
def test_ids_digests_and_paths_are_kept(kept: str, frame: str) -> None:
    text = frame.format(kept)
    assert redact(text).text == text


def test_a_private_key_is_masked_between_its_marks() -> None:
    block = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow0123456789abcdef\nABCDEF==\n-----END RSA PRIVATE KEY-----"
    for text in (block, block.replace("\n", "\\n")):
        masked = redact(text).text
        assert "MIIEow" not in masked
        assert masked.endswith("-----END RSA PRIVATE KEY-----")


def test_only_the_password_of_a_url_is_masked() -> None:
    masked = redact("postgres://app:S3cretPw9@db.internal/app").text
    assert masked == "postgres://app:[masked:url-password]@db.internal/app"


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    once = redact(text + " password='hunter2x9!' " + KEYS["github"]).text
    assert redact(once).text == once


def test_a_text_without_secrets_comes_back_as_it_is() -> None:
    text = "nothing to see here\n" * 100
    assert redact(text).text is text


def test_a_key_across_the_seam_of_a_long_text_is_masked() -> None:
    for shift in range(-40, 5, 5):
        text = "x " * ((WINDOW + shift) // 2) + KEYS["github"] + " y" * 2_000
        assert KEYS["github"] not in redact(text).text


def test_a_json_value_is_judged_with_its_key() -> None:
    masked, counts = redact_value({"env": {"API_KEY": "zx9Kd83jdkslQ8"}, "n": [1, KEYS["npm"]]})
    assert masked == {"env": {"API_KEY": "[masked:assignment]"}, "n": [1, "[masked:npm]"]}
    assert counts == {"assignment": 1, "npm": 1}
