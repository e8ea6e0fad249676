"""Guard: what in a recalled text tries to instruct its reader, and the fence that marks it as data."""

import re

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "instructs-the-reader",
        re.compile(
            r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|your|any|the)\b"
            r"[^.\n]{0,30}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|constraints?|context)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "instructs-the-reader",
        re.compile(
            r"\b(?:you are now|from now on,? you|act as if you|pretend (?:to be|you are)|new (?:system )?instructions?\s*:)",
            re.IGNORECASE,
        ),
    ),
    (
        "claims-authority",
        re.compile(
            r"(?:^|\n)\s*(?:#{1,4}\s*)?\[?(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt|override|notice|update))?\]?\s*:\s|"
            r"<\|?(?:im_start|system|im_end)\|?>|\[/?INST\]|<<SYS>>|</?system(?:-prompt|_prompt|-reminder)?>|"
            r"\b(?:important|critical|urgent)\b[^.\n]{0,30}\b(?:instruction|message)s? (?:for|to) (?:the )?(?:ai|assistant|agent|model|llm)",
            re.IGNORECASE,
        ),
    ),
    (
        "addresses-an-agent",
        re.compile(
            r"\b(?:ai|language model|assistant|agent|llm|copilot|claude|chatgpt)s?\b[^.\n]{0,40}\b(?:must|should always|shall|has to|are required to|needs to)\b"
            r"[^.\n]{0,60}\b(?:execute|run|send|call|reveal|include|visit|delete|download|forward|output|print|email)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "asks-for-secrets",
        re.compile(
            r"\b(?:send|post|upload|exfiltrate|forward|reveal|leak|email|transmit|share)\b[^.\n]{0,50}\b(?:api keys?|passwords?|credentials?|secrets?|tokens?|private keys?|system prompt|env(?:ironment)? variables?|\.env)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "hides-from-the-user",
        re.compile(
            r"\b(?:do not|don't|never|without)\b[^.\n]{0,20}\b(?:tell|telling|inform|informing|mention|mentioning|notify|notifying|alert|alerting|show|showing|ask|asking)\b[^.\n]{0,20}\b(?:the )?user\b",
            re.IGNORECASE,
        ),
    ),
)
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_HINTS = re.compile(
    r"ignore|disregard|forget|override|bypass|you |pretend|instruction|system|developer|admin|im_start|inst\]|<<sys|"
    r"agent|assistant|model|llm|copilot|claude|chatgpt|\buser\b|key|password|credential|secret|token|\.env",
    re.IGNORECASE,
)
_FENCE = re.compile(r"(?i)<(/?)(recalled[^<>\n]{0,80})>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SCANNED = 40_000


def inspect(text: str) -> tuple[str, ...]:
    """What is noticed, in a stable order; nothing is refused here. The first 40,000 characters."""
    scanned = text[:_SCANNED]
    found = []
    if _HIDDEN.search(scanned):
        found.append("hides-text")
    if _FENCE.search(scanned):
        found.append("forged-fence")
    if _HINTS.search(scanned):
        found += [flag for flag, pattern in _RULES if pattern.search(scanned)]
    return tuple(dict.fromkeys(found))


def fence(text: str, *, label: str) -> str:
    """The text between marks that say: data. A mark inside it cannot close them."""
    return f"<recalled {neutralise(label)}>\n{neutralise(text)}\n</recalled>"


def neutralise(text: str) -> str:
    """The text with forged fences broken and control, zero-width and bidi characters made visible."""
    if text.isascii() and text.isprintable() and "<" not in text:
        return text
    broken = _FENCE.sub(r"‹\1\2›", text)
    visible = _HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", broken)
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", visible)
