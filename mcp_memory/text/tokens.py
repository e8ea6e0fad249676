"""Tokens: a cheap, deterministic estimate of what a text costs a model."""

import re

# Kana, CJK ideographs, Hangul, full-width forms: most tokenizers spend about one token on each.
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_CHARS_PER_TOKEN = 4


def estimate(text: str) -> int:
    """About how many tokens a text takes: a quarter of its characters, one a CJK character."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // _CHARS_PER_TOKEN)
