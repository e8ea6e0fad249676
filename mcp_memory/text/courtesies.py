"""Courtesies: whether a text only greets, thanks, assents or asks to go on, and names nothing to do."""

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
_CJK = re.compile(
    "(?:谢谢|多谢|感谢|你好|您好|好的|好|是的|是|不|对|行|可以|继续|再见|没有|没了|就这样|了|啊|吧|你|们|大家"
    "|ありがとう|ございます|ました|はい|いいえ|こんにちは|おはよう|続けて|ください|お願いします|了解|です"
    "|감사합니다|고마워|네|아니요|안녕하세요|계속|좋아요|해주세요"
    "|[\\s\u3001\u3002\uff0c\uff01\uff1f!?.,~])+"
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NAMES = re.compile(r"[/_`\d]")
"""What a courtesy never has: a path, a symbol, a number."""
MOST_WORDS = 16


def says_nothing(text: str) -> bool:
    """Whether every word only is polite, assents or goes on, so that there is nothing to look for."""
    plain = text.strip()
    words = [word.replace("\u2019", "'") for word in _WORD.findall(plain.casefold())]
    if not words:
        return not re.search(r"\w", plain)
    if len(words) > MOST_WORDS or _NAMES.search(plain):
        return False
    return _CJK.fullmatch(plain) is not None or set(words) <= _ENGLISH | _OTHERS
