"""Disguises: a secret is masked however it is written: coloured, escaped, broken, encoded."""

import base64
import html
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import disguises
from mcp_memory.text.redaction import redact

KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PASSWORD = "hunter2x9!"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DRESSED: dict[str, Callable[[str], str]] = {
    "a colour in the middle": lambda key: f"{key[:9]}\x1b[0m{key[9:]}",
    "a colour in its prefix": lambda key: f"gh\x1b[1;32mp_{key[4:]}",
    "a colour, written out": lambda key: f"gh\\u001b[1mp_{key[4:]}",
    "zero-width letters": lambda key: "\u200b".join((key[:2], key[2:20], key[20:])),
    "a soft hyphen": lambda key: f"{key[:20]}\u00ad{key[20:]}",
    "a JSON escape": lambda key: f"\\u0067{key[1:]}",
    "a hexadecimal escape": lambda key: f"\\x67{key[1:]}",
    "percent signs": lambda key: "".join(f"%{ord(letter):02x}" for letter in key),
    "HTML entities": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "two lines": lambda key: f"{key[:20]}\n{key[20:]}",
    "two indented lines": lambda key: f"{key[:20]}\r\n      {key[20:]}",
    "two quoted lines": lambda key: f"> {key[:20]}\n> {key[20:]}",
    "two lines of a diff": lambda key: f"+{key[:20]}\n+{key[20:]}",
    "a line end of a shell": lambda key: f"{key[:20]}\\\n{key[20:]}",
    "an escaped line end": lambda key: f"{key[:20]}\\n{key[20:]}",
    "quoted-printable": lambda key: f"{key[:20]}=\n{key[20:]}",
    "two strings added": lambda key: f'"{key[:20]}" + "{key[20:]}"',
    "two strings side by side": lambda key: f"'{key[:20]}'\n    '{key[20:]}'",
}
ENCODED: dict[str, Callable[[str], str]] = {
    "base64": encoded,
    "base64 of a line": lambda key: encoded(f"TOKEN={key}\n"),
    "base64 behind one letter": lambda key: encoded(f" {key}"),
    "base64 behind two letters": lambda key: encoded(f"= {key}"),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(f"??>>{key}".encode()).decode(),
    "hexadecimal digits": lambda key: key.encode().hex(),
    "hexadecimal capitals": lambda key: key.encode().hex().upper(),
}


@pytest.mark.parametrize("dress", DRESSED)
@pytest.mark.parametrize("frame", ["{}", "see {} here", 'x = "{}"', "a\n{}\nb"])
def test_a_dressed_key_is_masked(dress: str, frame: str) -> None:
    masked = redact(frame.format(DRESSED[dress](KEY))).text
    assert KEY[8:20] not in masked
    assert KEY[22:] not in masked
    assert "[masked:github]" in masked


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("frame", ["{}", "see {} here", 'x = "{}"', "a\n{}\nb"])
def test_an_encoded_key_is_masked(encoding: str, frame: str) -> None:
    text = ENCODED[encoding](KEY)
    masked = redact(frame.format(text)).text
    middle = len(text) // 2
    assert text[middle : middle + 12] not in masked


@pytest.mark.parametrize("depth", range(4))
def test_a_password_is_masked_at_any_depth_of_escapes(depth: int) -> None:
    text = f'{{"password": "{PASSWORD}"}}'
    for _ in range(depth):
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    assert PASSWORD not in redact(text).text


def test_a_quoted_entity_is_a_quote() -> None:
    assert PASSWORD not in redact(html.escape(f'{{"password": "{PASSWORD}"}}')).text


def test_what_stands_round_a_dressed_key_stays_as_it_is() -> None:
    text = f"\x1b[31mred\x1b[0m {DRESSED['a JSON escape'](KEY)} caf\\u00e9 100%25"
    assert redact(text).text == "\x1b[31mred\x1b[0m [masked:github] caf\\u00e9 100%25"


@pytest.mark.parametrize(
    "text",
    [
        encoded("a picture of nothing in particular, at some length") * 20,
        "deadbeef" * 40,
        quote("name with spaces & marks") * 10,
        "\x1b[32m--- PASS\x1b[0m: TestHandlesUserLogin2FA (0.01s)",
        "- sk-\n  ip this item\n- another",
        'name = "key" + "board"',
    ],
)
def test_disguises_of_nothing_stay(text: str) -> None:
    assert redact(text).text is text


@given(st.text(alphabet="ab\\u0067x67%&#;\x1b[0m\u200b\n'\"+", max_size=80))
def test_every_place_of_an_undressed_text_is_one_of_the_text(text: str) -> None:
    for plain in (disguises.undressed(text), disguises.joined(text)):
        if plain is not None:
            for at in range(len(plain.text)):
                start, end = plain.place(at, at + 1)
                assert 0 <= start < end <= len(text)


@given(st.text(max_size=60), st.sampled_from(sorted(DRESSED)))
def test_masking_a_dressed_key_twice_is_masking_it_once(text: str, dress: str) -> None:
    once = redact(f"{text} {DRESSED[dress](KEY)}").text
    assert redact(once).text == once
