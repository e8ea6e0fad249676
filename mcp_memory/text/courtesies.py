"""Courtesies: whether a text only greets, thanks, assents or offers itself, and names nothing to do."""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = _words(
    "a about again all alright am and anything are as awesome be been best better bravo bye can care"
    " cheers continue cool correct day dear done else enough evening everyone everything exactly"
    " excellent fantastic fine for friend go goes going good goodbye great greetings had have he hello"
    " help helpful hey hi how i i'd i'll i'm i've is it it's its just keep kind later let's like lot"
    " love lovely luck many me merci more morning much my never nice night no none nope not nothing now"
    " of off oh ok okay on perfect please proceed really right see so sounds super sure thank thanks"
    " that that's the then there these they this those thx to today tomorrow too very want was we we're"
    " welcome well were what whatever when with wonderful worked works would wow yeah yep yes yet you"
    " you're your yours"
)
_OTHERS = _words(
    "danke vielen dank schön bitte gut ja nein weiter mach prima hallo tschüss alles klar das war's es"
    " ist nichts mehr sehr guten tag morgen abend merci beaucoup oui non bonjour salut bonne journée"
    " d'accord c'est tout parfait très bien s'il te vous plaît au revoir gracias muchas sí si hola adiós"
    " buenos días perfecto vale sigue eso todo por favor obrigado obrigada sim não olá tchau bom dia"
    " ótimo perfeito isso tudo grazie mille sì ciao perfetto bene va avanti tutto"
    " спасибо да нет привет пока хорошо отлично всё продолжай пожалуйста ладно"
)
_LEAVING = _words(
    "thank thanks thx cheers bye goodbye danke tschüss merci gracias adiós obrigado obrigada tchau grazie"
    " ciao спасибо пока 谢谢 多谢 感谢 再见 ありがとう 감사합니다 고마워"
)
_GOING_ON = _words(
    "yes yep yeah sure go goes going continue proceed keep please ja weiter mach bitte oui plaît sí si"
    " sigue favor sim sì va avanti да продолжай пожалуйста 是 继续 可以 はい 続けて お願いします 네 계속"
)
_OFFERING = _ENGLISH | _words(
    "add additional adjust adjusted adjustments any another ask assist assistance change changed changes"
    " clarification clarify clear concerns contact could detail details did do does explain explained"
    " explanation feel free further get happy hear helped helps hesitate hope if know"
    " let make makes need needed needs next or other out question questions reach sense session should so"
    " something stuck task there's thing things until up via wanna want wish whether without work you'd"
)
_MORE = _words(
    "anything assist assistance clarification concerns else further help helpful helps hesitate know"
    " next question questions reach sense"
)
"""Of these an offer has one: `Shall I do that?` has none, and waits for an answer."""
_OFFER = re.compile(
    r"(?i)(?:what (?:would you like|do you want) (?:me )?to (?:do|work on)\W*$"
    r"|sonst noch (?:etwas|was|fragen)|noch fragen|weitere fragen"
    r"|(?:autre chose|d'autres questions)\b|(?:algo más|alguna otra (?:cosa|pregunta))"
    r"|(?:mais alguma coisa|algo mais|outra pergunta)|(?:qualcos'altro|altre domande)"
    r"|(?:что-?нибудь ещё|чем ещё|ещё вопросы)"
    r"|还有(?:什么|其他)|其他问题|他に(?:何か|ご質問)|더 (?:도와|필요))"
)
_CJK = re.compile(
    "(?:谢谢|多谢|感谢|你好|您好|好的|好|是的|是|不|对|行|可以|继续|再见|没有|没了|就这样|了|啊|吧|你|们|大家"
    "|ありがとう|ございます|ました|はい|いいえ|こんにちは|おはよう|続けて|ください|お願いします|了解|です"
    "|감사합니다|고마워|네|아니요|안녕하세요|계속|좋아요|해주세요"
    "|[\\s\u3001\u3002\uff0c\uff01\uff1f!?.,~])+"
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NAMES = re.compile(r"[/_`\d]")
"""What a courtesy never has: a path, a symbol, a number."""
MOST_WORDS, MOST_OFFERED = 16, 90


def says_nothing(text: str) -> bool:
    """Whether every word only is polite, assents or goes on, so that there is nothing to look for."""
    plain = text.strip()
    words = [word.replace("\u2019", "'") for word in _WORD.findall(plain.casefold())]
    if not words:
        return not re.search(r"\w", plain)
    if len(words) > MOST_WORDS or _NAMES.search(plain):
        return False
    return _CJK.fullmatch(plain) is not None or set(words) <= _ENGLISH | _OTHERS


def takes_leave(text: str) -> bool:
    """Whether a user only thanks or says goodbye: no assent among it, and nothing to go on with."""
    words = _said(text)
    leaves = any(word in text for word in _LEAVING if not word.isascii()) or words & _LEAVING
    goes_on = any(word in text for word in _GOING_ON if _CJK.fullmatch(word)) or words & _GOING_ON
    return bool(leaves) and not goes_on and says_nothing(text)


def offers(sentence: str) -> bool:
    """Whether an agent's sentence only offers more of itself, and names nothing that could be done."""
    plain = sentence.strip()
    if _NAMES.search(plain):
        return False
    if len(plain) <= MOST_OFFERED and _OFFER.search(plain):
        return True
    words = _said(plain)
    return bool(words & _MORE) and not words & _GOING_ON and words <= _OFFERING


def _said(text: str) -> frozenset[str]:
    return frozenset(word.replace("\u2019", "'") for word in _WORD.findall(text.casefold()))
