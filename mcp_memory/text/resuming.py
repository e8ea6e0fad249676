"""Resuming: whether a question asks where work was left off, and not for anything that it names."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from mcp_memory.text import identifiers, periods
from mcp_memory.text.periods import Period
from mcp_memory.text.wording import CALENDAR_WORDS

MOST_WORDS = 24
"""A longer question says more than that."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PEOPLE = _words(
    "i we us me my our you your mine ours lets let's"
    " ich wir uns mir mich mein meine unser unsere unserer du"
    " je j' nous moi mon ma mes notre nos on tu"
    " yo nosotros me mi mis nuestro nuestra nos hicimos hice estaba estabamos estábamos dejamos trabajamos"
    " eu nós nos meu minha nosso nossa fizemos fiz estava estávamos paramos"
    " io noi mio mia nostro nostra ci abbiamo ho eravamo"
    " я мы мне нам нас мой моя наш наша делали делал остановились"
)
"""Who worked: pronouns, and in languages that leave them out the verbs that hold them."""
_TIMES = _words(
    "last latest recent recently lately previous previously earlier before past yesterday today tonight"
    " ago week weeks month months day days night morning afternoon evening hour hours weekend time far"
    " just newest this"
    " gestern heute letzte letzten letzter letztes letztens zuletzt vorhin neulich vorige vorigen woche"
    " hier aujourd'hui dernier dernière dernièrement derniere semaine récemment précédente fois"
    " ayer hoy última ultima último ultimo últimas semana anterior vez"
    " ontem hoje última último passada anterior vez"
    " ieri oggi ultima ultimo scorsa recente volta"
    " вчера сегодня последний последнюю последней недавно прошлый прошлую раз неделе"
)
_DEEDS = _words(
    "do did done doing work works worked working happen happened happens leave left off stop stopped"
    " continue continuing resume resuming pick up carry keep going go get got catch recap summarize"
    " summarise summary remind recall remember accomplish accomplished finish finished unfinished open"
    " pending remaining outstanding next start started begin began were was where todo todos status"
    " stehen geblieben stehengeblieben aufgehört aufgehoert aufhörten weiter weitermachen mach machen"
    " gemacht getan gearbeitet woran offen fasse zusammen zusammenfassen fortsetzen wo war waren"
    " fait faisait faisions travaillé travaillais continuer continue continuons reprendre reprends reprenons"
    " arrêtés arrêté arretes arrete résume resume résumer où étais étions laissé reste"
    " hicimos hice dejamos continúa continua continuar continuemos seguir sigamos trabajando trabajamos"
    " resume resumir pendiente donde dónde quedamos estabamos estábamos estaba"
    " fizemos fiz paramos continuar continue trabalhando resuma onde estava estávamos pendente"
    " fatto facevamo continua continuiamo riprendi riprendere lavorando riassumi dove eravamo rimasti"
    " остановились делали делал сделали продолжи продолжим продолжить работали работал итог"
)
_MATTERS = _words(
    "session sessions conversation conversations chat chats work task tasks thing things stuff project"
    " progress history sitzung sitzungen gespräch arbeit aufgabe aufgaben projekt"
    " session séance conversation travail tâche tâches sesión sesion conversación trabajo tarea tareas"
    " sessão sessao conversa trabalho tarefa tarefas sessione conversazione lavoro"
    " сессия сессию сессии сессией разговор работу задачу"
)
_MAKING = _words(
    "change changed changes fix fixed build built implement implemented add added write wrote written"
    " merge merged ship shipped commit committed try tried learn learned"
)
"""What anybody does to a program: says nothing where people and a day are named."""
_PLAIN = _words(
    "a an the of in on at to for from by with and or as it its that these those what which when is are"
    " be been being am has have had can could would should will shall please ok okay hey hi hello thanks"
    " again about all everything anything ever so there here now then back show me tell give list bring"
    " want need like know see look into over through since until between during how"
    " was haben habe hat der die das den dem ein eine einer und bitte an auf mit von im am es sind ist mal"
    " nochmal da dort zu bei alles"
    " le la les l' un une de du des d' sur et ce qu' que qu'est-ce est-ce quoi avons ai a-t-on s'il vous"
    " plaît là sommes était en dans"
    " el la los las un una de del en y que qué se lo por favor fue al con sobre"
    " o os as um uma de do da em e que foi por favor com sobre"
    " il lo la gli le un una di del della in e che cosa per favore su siamo"
    " на в во и что чём чем \u0441 \u043e \u043e\u0431 это пожалуйста давай был была было ты"
)
_ASKS_FOR_MORE = _words(
    "why warum pourquoi porqué porque perché почему whose who wer quién quem chi кто"
)
_YESTERDAYS = _words("yesterday gestern hier ayer ontem ieri вчера 昨天 昨日 어제")
_TODAYS = _words("today heute aujourd'hui hoy hoje oggi сегодня 今天 今日 오늘")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+")
_NUMBER = re.compile(r"\d{1,4}")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_CJK_TIMES = "昨天|昨日|今天|今日|上次|上回|上一次|前回|最近|刚才|刚刚|之前|어제|오늘|지난번|최근"
_CJK_REST = (
    "继续|接着|我们|我|做了什么|做什么|做了|做到|做|哪里|哪儿|哪|什么|工作|会话|对话|停在|停下|进度|总结|一下|总结一下"
    "|从|在|的|地方|到|了|吗|呢|请|把|是|开始|没做完|未完成|任务"
    "|続き|続ける|続けて|続けよう|から|した|しました|していた|何を|何|作業|セッション|を|は|の|に|か|どこまで|まとめて|要約して|やった|やりました"
    "|계속|하자|해줘|작업|세션|무엇을|뭐|했지|했어|했나요|했나|우리|이어서|를|을|의|에서"
)
_CJK_TIME = re.compile(_CJK_TIMES)
_CJK_ALL = re.compile(f"(?:{_CJK_TIMES}|{_CJK_REST}|[\\s\u3001\u3002\uff0c\uff1f?!.,])+")


class Resumed(NamedTuple):
    """What is asked: the newest sessions, those of a time, or the last one alone."""

    period: Period | None = None
    one: bool = False


def may_ask(question: str) -> bool:
    """Whether a question asks for nothing but the newest sessions: known before its time is read."""
    text = question.strip()
    if not text or len(text) > 40 * MOST_WORDS:
        return False
    if _CJK.search(text):
        return bool(_CJK_ALL.fullmatch(text) and _CJK_TIME.search(text))
    if any(map(identifiers.is_name, text.split())):
        return False  # `did_did` is a name, whatever words it is made of
    words = _said(text)
    return 0 < len(words) <= MOST_WORDS and _only_resumes(words)


def _said(text: str) -> list[str]:
    return [word.replace("\u2019", "'") for word in _WORD.findall(text.casefold())]


def asked(question: str, *, now: datetime) -> Resumed | None:
    """What a question asks of the newest sessions; None where it names anything to look for.

    It is known by what it lacks: beside words of time, of work and of asking there is nothing in
    it, and it tells whose work or which time is meant. `why` asks for more than that.
    """
    if not may_ask(question):
        return None
    text = question.strip()
    if _CJK.search(text):
        return Resumed(_day(set(_CJK_TIME.findall(text)), now))
    held = set(_said(text))
    named = periods.asked_about(text, now=now)
    one = bool(held & {"session", "conversation", "chat", "sitzung", "sesión", "sessione"})
    return Resumed(_day(held, now) or (named[0] if named else None), one and bool(held & _LAST))


_LAST = _words("last latest previous newest letzte letzten dernière última ultima")


def _only_resumes(words: list[str]) -> bool:
    held = set(words)
    people, times = bool(held & _PEOPLE), bool(held & (_TIMES | CALENDAR_WORDS))
    deeds = bool(held & (_DEEDS | _MATTERS))
    known = _PEOPLE | _TIMES | _DEEDS | _MATTERS | _PLAIN | CALENDAR_WORDS
    if people and times:
        known |= _MAKING
    if held & _ASKS_FOR_MORE or ("how" in held and "far" not in held):
        return False
    if not all(word in known or (times and _NUMBER.fullmatch(word)) for word in words):
        return False
    alone = held <= (_TIMES | CALENDAR_WORDS | _PLAIN) and bool(held & (_YESTERDAYS | _TODAYS))
    return alone or (deeds and (people or times))


def _day(held: set[str], now: datetime) -> Period | None:
    """Yesterday or today, as the clock's own zone has them."""
    back = 1 if held & _YESTERDAYS else 0 if held & _TODAYS else None
    if back is None:
        return None
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
    return Period(start, start + timedelta(days=1, microseconds=-1))
