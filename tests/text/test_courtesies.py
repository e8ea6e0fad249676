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
