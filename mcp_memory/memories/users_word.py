"""The user's word: whether a memory says what a person typed, word for word and not turned round; pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.domain.models import SourceClass, Step
from mcp_memory.text import wording
from mcp_memory.text.typed import typed

LEAST_QUOTE = 3
"""Words of a quote that carry a point."""
BORNE = 0.6
"""Share of a text's telling words that the quoted sentence must have."""

_ANSWERED = re.compile(r"\"([^\"\n]{4,300})\"=\"([^\"\n]{2,300})\"")
_ASKING = "?\uff1f "
_ASSENT = frozenset(
    {"yes", "yep", "yeah", "yup", "y", "no", "nope", "n", "ok", "okay", "sure", "right", "correct", "agreed",
     "approve", "approved", "accept", "accepted", "proceed", "continue", "go", "ahead", "please", "do", "it",
     "fine", "good", "recommended", "true", "ja", "nein", "oui", "non", "si", "s\u00ed", "sim", "da",
     "\u0434\u0430", "\u043d\u0435\u0442", "\u662f", "\u597d", "\u306f\u3044", "\ub124"}
)  # fmt: skip
"""Words of an answer that leave all words to the question."""
_SAID = "the user said:\n"
_HOSTS_NOTE = re.compile(r"\s*Note: The user's next message may.*", re.DOTALL)
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|(?<=[\u3002\uff01\uff1f])")
_REFUSED = re.compile(
    r"(?:not|no|never|none|nor|without|cannot|avoid|stop|nicht|kein\w*|nie|ohne|ne|pas|jamais|sans"
    r"|nunca|sin|n\u00e3o|non|mai|\u043d\u0435|\u043d\u0438\u043a\u043e\u0433\u0434\u0430|\w+n['\u2019]t)"
)
_CONDITIONED = re.compile(r"(?:if|unless|whether|should|would|could|maybe|perhaps|wenn|falls|si)")
"""Words before a passage that make it say something else, as refusals do."""
_TURNED_CJK = re.compile("[\u4e0d\u6ca1\u522b\u7121\u65e0]|\u306a\u3044|\uc548|\uc54a")
_ABOUT_USER = re.compile(
    r"\b(?:the\s+)?(?:user|owner|maintainer|developer)s?(?:'s)?\s+(?:has\s+|have\s+|had\s+|always\s+)?"
    r"(?:said|says?|told|tells?|wants?|wanted|prefers?|preferred|asked|asks|decided|approves?|approved"
    r"|allows?|allowed|likes?|insists?|insisted|agreed|confirmed|requires?|required|expects?"
    r"|accepted|granted|instructed|requested)\b",
    re.IGNORECASE,
)


def chosen(step: Step, text: str) -> Iterator[str]:
    """What a person said to a question of the agent (`Where to: docs/`), and with a refusal.

    A question counts only for a text that has the answer's own words: who says Yes to it has said
    none of the words that the agent put into it.
    """
    for seen in step.observations:
        if seen.source is not SourceClass.USER:
            continue
        if seen.failed:
            yield _HOSTS_NOTE.sub("", seen.text.partition(_SAID)[2])
        else:
            pairs = _ANSWERED.findall(seen.text)
            yield from (
                f"{asked.rstrip(_ASKING)}: {told}" for asked, told in pairs if _stands(told, text)
            )


def _stands(answer: str, text: str) -> bool:
    """Whether a text says an answer that is more than assent."""
    words = {term.casefold() for term in wording.informative(answer)} - _ASSENT
    return bool(words) and words <= {term.casefold() for term in wording.informative(text)}


def bears(messages: Sequence[str], text: str, quote: str = "") -> bool:
    """Whether a user said this: each sentence of the text verbatim, or a quote that carries it.

    A passage below a refusal, a condition or a question that the text lacks does not count.
    """
    said = [sentence for message in messages for sentence in _sentences(typed(message))]
    parts = list(_sentences(text))
    if not said or not parts:
        return False
    if all(any(_verbatim(part, sentence) for sentence in said) for part in parts):
        return True
    return bool(quote.strip()) and any(_carries(sentence, quote, text) for sentence in said)


def title_fits(title: str, said: str) -> bool:
    """Whether a title is made of words that were said: it may not add a claim of its own."""
    return not title.strip() or _share(title, said) >= BORNE


def about_user(text: str) -> bool:
    """Whether a text claims that the user said, wants or allows something."""
    return _ABOUT_USER.search(text) is not None


def turned(text: str) -> bool:
    """Whether a text refuses, or makes a condition."""
    return refuses(text) or any(map(_CONDITIONED.fullmatch, _words(text)))


def refuses(text: str) -> bool:
    """Whether a text says that something is not, or is not to be."""
    return any(map(_REFUSED.fullmatch, _words(text))) or _TURNED_CJK.search(text) is not None


def _sentences(text: str) -> Iterator[str]:
    return (part.strip() for part in _SENTENCE.split(text) if _words(part))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _place(part: str, sentence: str) -> int:
    """Where the words of a part stand in a sentence, one after the other; -1 where they do not."""
    wanted, held = _words(part), _words(sentence)
    for start in range(len(held) - len(wanted) + 1):
        if wanted and held[start : start + len(wanted)] == wanted:
            return start
    return -1


def _verbatim(part: str, sentence: str) -> bool:
    place = _place(part, sentence)
    if place < 0 or _asks(sentence) != _asks(part):
        return False
    before = _words(sentence)[:place]
    return not turned(" ".join(before))


def _asks(sentence: str) -> bool:
    return sentence.rstrip("\"'\u201d) ").endswith(("?", "\uff1f"))


def _carries(sentence: str, quote: str, text: str) -> bool:
    spaced = len(_words(quote)) >= LEAST_QUOTE or not quote.isascii()
    if not spaced or _place(quote, sentence) < 0 or _asks(sentence):
        return False
    return turned(sentence) == turned(text) and _share(text, sentence) >= BORNE


def _share(text: str, said: str) -> float:
    """How many of the telling words of a text were said."""
    held = set(_words(said))
    words = [word for term in wording.informative(text) for word in _words(term)]
    told = [word for word in words if word not in {"user", "users", "owner", "wants", "prefers"}]
    return sum(word in held for word in told) / len(told) if told else 0.0
