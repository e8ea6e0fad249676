"""An error is the line that names its cause: no header, no sum, no match of a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import causes, endings, shell, signatures

NIL = """--- FAIL: TestPush2FA (0.00s)
panic: runtime error: invalid memory address or nil pointer dereference [recovered]
goroutine 7 [running]:
testing.tRunner.func1.2({0x1, 0x2})
\t/opt/go/1.26/src/testing/testing.go:1632 +0x230
panic({0x1, 0x2})
\t/opt/go/1.26/src/runtime/panic.go:785 +0x132
example.org/till/gitproto.(*Conn).Refs(0x0)
\t/home/ada/till/gitproto/conn.go:41 +0x20
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# example.org/till\n./a.go:3:5: undefined: Heron\n", "./a.go:N: undefined: Heron"),
        ("--- FAIL: TestV2Refs (0.1s)\n    a_test.go:9: got 3, want 4\nFAIL\nFAIL\tx.org/a\t0.3s\n",
         "TestV2Refs: got N, want N"),
        ("=== RUN   TestA\n    a_test.go:9: log\n    a_test.go:12: no nest\n--- FAIL: TestA (0.00s)\nFAIL\n",
         "TestA: no nest"),
        ("--- FAIL: TestA (0s)\n    --- FAIL: TestA/sub_2 (0s)\n        a_test.go:1: no egg\n",
         "TestA/sub_2: no egg"),
        (NIL, "--- FAIL: TestPush2FA"),
        ('  File "/r/nest.py", line 3, in hatch\n    x[9]\nIndexError: list index out of range\n',
         "IndexError: list index out of range in hatch"),
        ("E       ModuleNotFoundError: No module named 'flask'\n1 failed",
         "ModuleNotFoundError: No module named 'flask'"),
        (" ERR_PNPM_ABORTED_REMOVE_MODULES_DIR_NO_TTY  Aborted removal of modules directory\nIf in CI\n",
         "ERR_PNPM_ABORTED_REMOVE_MODULES_DIR_NO_TTY Aborted removal of modules directory"),
        ("[lint:go] a/b.go:1:2: unused x (unused)\n[lint:go] * unused: 1\n[lint:go] ERROR task failed\n",
         "a/b.go:N: unused x (unused)"),
        ("error[E0308]: mismatched types\n  --> src/nest.rs:4:9\nerror: could not compile `nest` (lib)\n",
         "error[E0308]: mismatched types in src/nest.rs"),
        ("src/a.ts(12,5): error TS2345: Argument of type 'x'\n",
         "src/a.ts(N): error TS2345: Argument of type 'x'"),
        ("Auto-merging a.go\nCONFLICT (content): Merge conflict in a.go\nAutomatic merge failed; fix it\n",
         "CONFLICT (content): Merge conflict in a.go"),
        ("unknown flag: --stat\n\nUsage:  gh pr diff [flags]\n\nFlags:\n  -w, --web   Open\n  -x\n",
         "unknown flag: --stat"),
        ("<tool_use_error>Path does not exist: /home/ada/x.go</tool_use_error>",
         "Path does not exist: …/x.go"),
        ("npm ERR! code E404\nnpm ERR! 404 Not Found - GET https://r.org/egg\nnpm ERR! A complete log of\n",
         "npm ERR! 404 Not Found - GET https:/…/egg"),
    ],
)  # fmt: skip
def test_the_cause_is_named(text: str, expected: str) -> None:
    assert signatures.error(text, "make test") == expected


def test_a_panic_is_told_apart_by_its_first_frame_of_ours() -> None:
    assert any(one.endswith("in gitproto.(*Conn).Refs") for one in signatures.errors(NIL))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('a.go:3: t.Errorf("error: %v", err)\nb.go:4: fatal: no\n', "rg -n error ."),
        ('func x() error {\nreturn errors.New("Error: x")\n', "sed -n 1,20p a.go"),
        ("-  error: old\n+  error: new\nerror: kept\n", "cat a.diff"),
        ("ok  \tx.org/a\t(cached)\nFAIL\n", "go test ./..."),
        ("Process running with session ID 12\n", "go test ./..."),
        ("<tool_use_error>Sibling tool call errored</tool_use_error>", "ls"),
        ("Exit code 1", "mise run lint"),
        ("[test] $ go test ./...\n[test] ERROR task failed\n", "mise run test"),
    ],
)
def test_what_is_no_error_is_none(text: str, command: str) -> None:
    assert signatures.errors(text, command) == ()


def test_a_look_complains_for_itself() -> None:
    told = "rg: nest: No such file or directory (os error 2)\na.go:3: error: kept\n"
    assert signatures.errors(told, "rg -n error nest a.go") == (
        "rg: nest: No such file or directory (os error 2)",
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.go:3:5: undefined: X", "a.go:90: undefined: X"),
        ("open /tmp/tmpa81kq/x.sock: refused", "open /tmp/tmpzz9pq/x.sock: refused"),
        ("timed out after 1.5s at 0x7f3a", "timed out after 300ms at 0x9bb1"),
        ("fatal: bad object e53647ba1f1e5203", "fatal: bad object 0b1c2d3e4f5a6b7c"),
        ("pid 4711 is gone", "pid 12 is gone"),
    ],
)
def test_places_and_amounts_are_folded(one: str, other: str) -> None:
    assert signatures.fold(one) == signatures.fold(other)


@pytest.mark.parametrize(
    "name", ["TestDecodeV2AdvRefs", "TestUserLogin2FA", "go1.26.1", "E0308", "x_2.py"]
)
def test_digits_of_names_stay(name: str) -> None:
    assert name in signatures.fold(f"--- FAIL: {name} after 12 tries")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (" ERR_PNPM_NO_LOCKFILE  Cannot install\n", False), ("ok  \tx.org/a\t0.3s\n", True),
        ("ok  \tx.org/a\t0.3s\nFAIL\tx.org/b\t0.1s\n", False), ("12 passed in 0.3s\n", True),
        ("=== 1 failed, 2 passed in 3s ===\n", False), ("all tests passed\n", None), ("", None),
        ("test result: ok. 3 passed; 0 failed\n", True), ("[lint] 0 issues.\n", True),
    ],
)  # fmt: skip
def test_tools_say_themselves_how_they_ended(text: str, good: bool | None) -> None:  # noqa: FBT001 - a case
    bad, well = endings.bad_line(text), endings.good_line(text)
    assert (False if bad else True if well else None) is good


def test_an_exit_code_may_be_printed() -> None:
    found = shell.programs('go test ./... > out; echo "EXIT: $?"')
    assert endings.printed_code(found, "FAIL\nEXIT: 1\n") == 1
    assert endings.printed_code(shell.programs("go test"), "EXIT: 1") is None


@given(st.text(max_size=400), st.sampled_from(["", "go test ./...", "rg x", "gh pr view"]))
def test_any_output_is_read(text: str, command: str) -> None:
    for line in (*causes.causes(text, command), *causes.named(text)):
        assert line.strip()
