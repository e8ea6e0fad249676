"""A text that only is polite names nothing to look for; one that names anything does."""

import pytest

from mcp_memory.text import courtesies


@pytest.mark.parametrize(
    "said",
    ["", "  ", "👍", "ok", "Thanks, that is all.", "yes, go on", "hello, how are you today?",
     "Perfect, thank you very much!", "Danke, das war's.", "merci beaucoup", "Спасибо, всё отлично",
     "好的 继续", "ありがとうございます。"],
)  # fmt: skip
def test_courtesies_say_nothing(said: str) -> None:
    assert courtesies.says_nothing(said)


@pytest.mark.parametrize(
    "said",
    ["fix it", "ok, now run the tests", "continue with src/a.py", "merge", "go test", "do 12 again",
     "yes, delete the branch", "修复测试", "テストを直して", "is the build good?"],
)  # fmt: skip
def test_what_names_a_thing_or_a_deed_says_something(said: str) -> None:
    assert not courtesies.says_nothing(said)


@pytest.mark.parametrize(
    "said",
    ["Anything else?", "Is there anything else you'd like me to help with?",
     "Let me know if you have any questions!", "Let me know if you need anything else.",
     "Do you have any other questions?", "Does that make sense?",
     "What would you like to work on next?", "What would you like me to do?",
     "How can I help you today?", "I hope this helps!",
     "Feel free to reach out if you get stuck.", "Happy to help with anything else.",
     "Kann ich sonst noch etwas für dich tun?", "¿Hay algo más en lo que pueda ayudarte?",
     "Y a-t-il autre chose ?", "还有什么需要帮助的吗", "他に何かありますか"],
)  # fmt: skip
def test_an_offer_of_more_names_nothing(said: str) -> None:
    assert courtesies.offers(said)


@pytest.mark.parametrize(
    "said",
    ["Shall I do that?", "Should I make these changes?", "Should I continue?",
     "Shall I proceed with anything else?", "Is that OK?",
     "Want me to add tests?", "Do you want me to help with the parser?", "Which do you prefer?",
     "Should I change anything in src/a.py?", "Any other port than 8080?", "Does the build work?",
     "Let me know if I should merge.", "Soll ich den Branch noch pushen?", "要我提交吗"],
)  # fmt: skip
def test_a_question_that_waits_for_an_answer_is_no_offer(said: str) -> None:
    assert not courtesies.offers(said)


@pytest.mark.parametrize(
    ("said", "leaves"),
    [("thanks!", True), ("Perfect, thank you very much!", True), ("ok, bye", True), ("谢谢", True),
     ("Danke, das war's.", True), ("yes, thanks", False), ("thanks, go on", False), ("ok", False),
     ("yes please", False), ("thanks, now run the tests", False), ("好的 继续", False)],
)  # fmt: skip
def test_thanks_take_leave_and_an_assent_does_not(said: str, *, leaves: bool) -> None:
    assert courtesies.takes_leave(said) is leaves
