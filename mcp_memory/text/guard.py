"""Guard: what in a recalled text tries to instruct its reader, and the fence that marks it as data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

from mcp_memory.text import disguises, fencing


@dataclass(frozen=True, slots=True)
class _Rule:
    """One sign; its pattern is tried only round the `anchors`, words that each match must hold."""

    flag: str
    anchors: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    """Groups of words besides; each must have one in the text."""
    pattern: re.Pattern[str]


def _rule(flag: str, anchors: str, needs: str, pattern: str) -> _Rule:
    groups = tuple(tuple(group.split(",")) for group in needs.split(" & ") if group)
    return _Rule(flag, tuple(anchors.split(",")), groups, re.compile(pattern, re.MULTILINE))


_RULES = (
    _rule(
        "instructs-the-reader",
        "ignore,disregard,forget,override,bypass",
        "instruction,prompt,rule,guideline,direction,constraint,context",
        r"\b(?:(?:ignore|disregard|forget)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|your|any|the)"
        r"|(?:override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|your|system|safety))\b"
        r"[^.\n]{0,30}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|constraints?|context)\b",
    ),
    _rule(
        "instructs-the-reader",
        "you are now,from now on,act as if,pretend,new instruction,new system instruction",
        "",
        r"\b(?:you are now|from now on,? you|act as if you|pretend (?:to be|you are)|new (?:system )?instructions?\s{0,3}:)",
    ),
    _rule(
        "claims-authority",
        "system,developer,admin,im_start,im_end,inst],<<sys,important,critical,urgent",
        "",
        r"^[ \t]{0,8}(?:#{1,4} )?\[?(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt|override|notice|update))?\]?:\s(?!\s{0,8}(?:[\"'\[{(|>#-]|[\w\[\].]+\s?[=,;(]|$))|"
        r"<\|?(?:im_start|system|im_end)\|?>|\[/?inst\]|<<sys>>|</?system(?:-prompt|_prompt|-reminder)?>|"
        r"\b(?:important|critical|urgent)\b[^.\n]{0,30}\b(?:instruction|message)s? (?:for|to) (?:the )?(?:ai|assistant|agent|model|llm)",
    ),
    _rule(
        "addresses-an-agent",
        "must,should always,shall,has to,are required,needs to",
        "execute,run,send,call,reveal,include,visit,delete,download,forward,output,print,email & agent,assistant,model,llm,copilot,claude,chatgpt,ai",
        r"\b(?:ai|language model|assistant|agent|llm|copilot|claude|chatgpt)s?\b[^.\n]{0,40}\b(?:must|should always|shall|has to|are required to|needs to)\b"
        r"[^.\n]{0,60}\b(?:execute|run|send|call|reveal|include|visit|delete|download|forward|output|print|email)\b",
    ),
    _rule(
        "asks-for-secrets",
        "api key,password,credential,secret,token,private key,system prompt,env",
        "send,post,upload,exfiltrate,forward,reveal,leak,email,transmit,share",
        r"(?:(?<=you don't )|(?<!would )(?<!could )(?<!might )(?<!don't )(?<!not )(?<!never )(?<!to ))"
        r"\b(?:send|post|upload|exfiltrate|forward|reveal|email(?= (?:me|us|all|the|your|it|them|requesting|asking)\b)"
        r"|transmit|share)\b[^.\n,]{0,50}"
        r"\b(?:api keys?|passwords?|credentials?|secrets?|tokens?|private keys?|system prompt|env(?:ironment)? variables?|\.env)\b",
    ),
    _rule(
        "hides-from-the-user",
        "do not,don't,never,without",
        "user & tell,inform,mention,notify,alert,show,ask",
        r"\b(?:do not|don't|never|without)\b[^.,;\n]{0,20}\b(?:tell|inform|mention|notify|alert|show|ask)(?:ing)?\b[^.\n]{0,20}\b(?:the )?user\b",
    ),
)
_OF_HOSTS = re.compile(
    r"</?system-reminder>\s{0,4}(?=(?:whenever you read a file, you should consider whether|warning: the file exists but"
    r"|\[truncated: partial view|the user provided the following references|this memory is |note: |plan mode |the todowrite)"
    r"|\s*$|\s*\n)|internal id[^.\n]{0,30}do not mention (?:it )?to (?:the )?user"
    r"|without asking the user any further questions"
)
"""What hosts write into outputs themselves, in small letters."""
_SIGNS_OF_HOSTS = ("system-reminder>", "internal id", "without asking")
_BY_ANCHOR = [(n, rule) for n, rule in enumerate(_RULES) for _ in rule.anchors]
_ANCHORED = AhoCorasick(
    [anchor for rule in _RULES for anchor in rule.anchors], implementation=Implementation.DFA
)
_HIDES = re.compile(
    "[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]|[a-zA-Z][\u200b-\u200f\u2060-\u2065\ufeff]+[a-zA-Z]"
    "|[\u200b-\u200f\u2060-\u2065\ufeff]{3}"
)
"""Letters that turn, tag or part words; a lone one beside a space is a stray of some editor."""
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
    "|(?<![\u00a9\u00ae\u2000-\u33ff\U0001f000-\U0001faff])[\ufe00-\ufe0f]"
)
"""Letters that nobody sees; what says how a picture is drawn is left to stand behind it."""
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,40}[ -/]{0,8}[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\n]{0,400}(?:\x07|\x1b\\)|\x1b[@-Z\\^_c]"
)
_SKIPPED = "[\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff\\s]{0,3}"
_OPENS = (
    r"(?:[<\u02c2\u2039\u2329\u276e\u27e8\u3008\ufe64\uff1c\u00ab\u300a]|&lt;?|&#0{0,4}60;?|&#x0{0,4}3c;?"
    r"|\\u003c|\\x3c|%3c)"
)
_NAMES = (
    "recalled", "system-reminder", "system_reminder", "function_calls", "function_results",
    "function_call", "invoke", "tool_call", "tool_calls", "tool_result", "tool_results", "tool_use",
    "tool_response", "im_start", "im_end", "system", "assistant", "human", "instructions",
    "endoftext", "sys",
)  # fmt: skip
"""What a host or a model takes for its own, where it opens or closes something."""
_ALIKE = {"a": "\u0430\u03b1\uff41", "c": "\u0441\u03f2\uff43", "d": "\u0501\uff44", "e": "\u0435\u03b5\uff45",
          "i": "\u0456\u03b9\uff49", "l": "\u04cf\uff4c1|\u0399", "m": "\uff4d\u043c", "n": "\uff4e", "o": "\u043e\u03bf\uff4f0",
          "r": "\uff52\u0433", "s": "\u0455\uff53", "t": "\uff54\u0442", "u": "\uff55\u03c5", "y": "\u0443\uff59"}  # fmt: skip


def _spelled(name: str) -> str:
    letters = (
        f"[{letter}{letter.upper()}{_ALIKE.get(letter, '')}]" if letter.isalpha() else "[-_ ]?"
        for letter in name
    )
    return _SKIPPED.join(letters)


_MARKUP = re.compile(
    rf"{_OPENS}(?P<rest>{_SKIPPED}[/\\\u2044\u2215\uff0f]?{_SKIPPED}(?:\|{_SKIPPED}|{_OPENS}|antml:){{0,2}}"
    rf"(?:{'|'.join(map(_spelled, sorted(_NAMES, key=len, reverse=True)))}"
    r"|function|\[?/?INST)(?![A-Za-z0-9.(\[]))",
    re.IGNORECASE,
)
_MARKS = re.compile(r"<|&lt|&#|\\u003c|\\x3c|%3c", re.IGNORECASE)
_FENCE = re.compile(r"(?i)<(/?)(recalled[^<>\n]{0,80})>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SCANNED = 40_000
_NEAR, _LONGEST = 160, 24
"""No pattern reaches farther from its anchor than this."""


def inspect(text: str) -> tuple[str, ...]:
    """What is noticed, in a stable order; nothing is refused here. The first 40,000 characters."""
    scanned = text[:_SCANNED]
    found = []
    # All that hides is among the letters that nobody sees: one class is looked for much faster.
    if disguises.invisible(scanned) and _HIDES.search(scanned):
        found.append("hides-text")
    if "recalled" in scanned and _FENCE.search(scanned):
        found.append("forged-fence")
    lowered = scanned.lower()
    if any(map(lowered.__contains__, _SIGNS_OF_HOSTS)):
        lowered = _OF_HOSTS.sub(" ", lowered)
    told = set(_told(lowered))
    found += [rule.flag for rule in _RULES if rule.flag in told]
    return tuple(dict.fromkeys(found))


def _told(lowered: str) -> Iterator[str]:
    """The flags whose pattern holds near one of its anchors, with the words that it needs beside it."""
    seen: dict[int, int] = {}
    for place, at, _ in _ANCHORED.find_matches_as_indexes(lowered, overlapping=True):
        which, rule = _BY_ANCHOR[place]
        if at < seen.get(which, 0):
            continue
        seen[which] = at + _NEAR // 2
        begin, end = max(0, at - _NEAR), at + _NEAR + _NEAR // 2 + _LONGEST
        near = lowered[begin:end]
        if all(any(map(near.__contains__, group)) for group in rule.needs) and rule.pattern.search(
            lowered, begin, end
        ):
            yield rule.flag


def fence(text: str, *, label: str = "") -> str:
    """The text between marks that say: data. Nothing in it can close them: it does not hold their tag."""
    return fencing.fenced(neutralise(text), neutralise(label))


def neutralise(text: str) -> str:
    """The text with forged marks broken, terminal escapes dropped and letters that nobody sees shown."""
    if text.isascii() and text.isprintable() and not _MARKS.search(text):
        return text
    while (plain := _ESCAPE.sub("", text)) != text:
        text = plain
    broken = _MARKUP.sub(lambda match: f"\u2039{match['rest']}", text)
    visible = _HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", broken)
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", visible)
