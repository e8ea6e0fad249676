"""Made-up keys: an example that shows its writer's hand is no secret, and no random key is taken for one."""

import random
import string
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text.redaction import redact
from mcp_memory.text.secret_values import made_up

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def random_key(letters: str, length: int, seed: int) -> str:
    chosen = random.Random(seed)
    return "".join(chosen.choice(letters) for _ in range(length))


def checksum(body: str) -> str:
    number, told = crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        told = BASE62[digit] + told
    return told


EXAMPLES = (
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "0123456789" + random_key(BASE62, 26, 1),
    "ghp_" + "01" * 18,
    "npm_" + random_key(BASE62, 28, 2) + "x" * 8,
    "lin_api_" + "abcdefg" + random_key(BASE62, 33, 3),
    "rubygems_" + "7654321" + random_key("0123456789abcdef", 41, 4),
    "hf_" + random_key(string.digits, 34, 5),
)


@pytest.mark.parametrize("key", EXAMPLES)
def test_what_shows_its_writers_hand_is_left_as_it_is(key: str) -> None:
    assert redact(f"as in the manual: {key} and so on").text.count(key) == 1


@given(st.integers(0, 10**6))
def test_a_random_key_is_masked_whatever_comes_out(seed: int) -> None:
    for key in (
        "ghp_" + random_key(BASE62, 36, seed),
        "npm_" + random_key(BASE62, 36, seed),
        "rubygems_" + random_key("0123456789abcdef", 48, seed),
        "xoxb-123456789012-1234567890123-" + random_key(BASE62, 24, seed),
    ):
        assert key not in redact(f"it is {key} today").text


def test_what_bears_its_providers_checksum_is_a_key_however_it_looks() -> None:
    body = "0" * 20 + "1234567890"
    assert made_up("ghp_" + body + "A" * 6)
    assert not made_up("ghp_" + body + checksum(body))


@pytest.mark.parametrize(
    "before",
    ["GITHUB_TOKEN=", "the deploy key is ", "x-api-key: ", "aws_access_key_id = ", '"secret": "'],
)
def test_beside_a_name_that_says_so_it_is_masked_all_the_same(before: str) -> None:
    key = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"
    for told in (key, "AKIA" + "IOSFODNN7EXAMPLE"):
        assert told not in redact(f"{before}{told}\n").text
