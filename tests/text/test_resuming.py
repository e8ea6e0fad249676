"""A question that only asks where work was left off is known by having nothing else in it."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcp_memory.text import resuming

NOW = datetime(2026, 6, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "question",
    [
        "continue where we left off",
        "Where did we leave off?",
        "where was I?",
        "what was I working on",
        "What have I been working on lately?",
        "summarize the last session",
        "Please give me a summary of our previous conversation.",
        "what did we do yesterday",
        "What did I do in June?",
        "pick up where we stopped last time",
        "catch me up",
        "what happened last week",
        "show me the recent sessions",
        "what is open from last time?",
        "how far did we get",
        "what did we fix yesterday",
        "yesterday",
        "Wo waren wir stehen geblieben?",
        "was haben wir gestern gemacht",
        "où en étions nous",
        "reprenons le travail de la dernière session",
        "¿Qué hicimos ayer?",
        "o que fizemos ontem",
        "cosa abbiamo fatto ieri",
        "на чём мы остановились",
        "что мы делали вчера?",
        "昨天我们做了什么\uff1f",
        "继续上次的工作",
        "前回の続き",
    ],
)
def test_asks_where_work_was_left_off(question: str) -> None:
    assert resuming.asked(question, now=NOW) is not None


@pytest.mark.parametrize(
    "question",
    [
        "",
        "what did we decide about the login timeout",
        "what did we do about the flaky integration test yesterday",
        "continue the auth refactor where we left off",
        "how do sessions work",
        "how does resume work",
        "entire resume",
        "resume session",
        "session start hook",
        "session status",
        "last error in the build",
        "what was the last commit",
        "why did we do this last week",
        "who worked on this last",
        "latest version",
        "work in progress",
        "summarize the design of the store",
        "open the last file we changed in src/",
        "next",
        "todo",
        "continue",
        "left join",
        "okay now let's do 6,7,8,10",
        "昨天的登录错误",
        "上次为什么回滚数据库",
        "gestern Fehler im Build",
    ],
)
def test_a_question_that_names_anything_is_none(question: str) -> None:
    assert resuming.asked(question, now=NOW) is None


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("what did we do yesterday", 19, 19),
        ("was haben wir gestern gemacht", 19, 19),
        ("昨天我们做了什么", 19, 19),
        ("what did I do today", 20, 20),
        ("what did I do in June?", 1, 30),
    ],
)
def test_a_time_that_is_named_is_the_period(question: str, first: int, last: int) -> None:
    asked = resuming.asked(question, now=NOW)
    assert asked is not None
    assert asked.period is not None
    assert (asked.period.start.day, asked.period.end.day) == (first, last)


def test_the_last_session_is_one() -> None:
    asked = resuming.asked("summarize the last session", now=NOW)
    assert asked is not None
    assert asked.one
    several = resuming.asked("what did we do in the last sessions", now=NOW)
    assert several is not None
    assert not several.one


@example("did_did")
@given(
    st.from_regex(
        r"[a-z]{3,12}_[a-z]{3,12}|[A-Z][a-z]+[A-Z][a-z]+|[a-z]+/[a-z]+\.py", fullmatch=True
    )
)
def test_an_identifier_among_the_words_is_looked_for(name: str) -> None:
    assert resuming.asked(f"what did we do with {name} yesterday", now=NOW) is None
