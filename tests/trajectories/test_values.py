"""Values: names with the value that a session gave them, and nothing that only looks like one."""

import pytest
from steps import edited, ran, read, wrote

from mcp_memory.domain.models import Step
from mcp_memory.trajectories.values import MOST_VALUES, valued


def told(*steps: Step) -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in valued(steps, path=lambda path: path)]


@pytest.mark.parametrize(
    ("path", "line", "name", "value"),
    [
        ("a.go", "\tcheckEvery = 24 * time.Hour", "checkEvery", "24 * time.Hour"),
        ("a.go", "const MaxSize = 1 << 20 // bytes", "MaxSize", "1 << 20"),
        ("a.py", 'DEFAULT_HOST: str = "localhost"', "DEFAULT_HOST", "localhost"),
        ("a.ts", "export const retryLimit = 5;", "retryLimit", "5"),
        ("pyproject.toml", 'version = "1.2.3"', "version", "1.2.3"),
        ("ci.yml", "  runs-on: ubuntu-latest", "runs-on", "ubuntu-latest"),
        ("ci.yml", "      - uses: actions/checkout@v4", "actions/checkout", "v4"),
        ("go.mod", "\tgithub.com/a/b/v6 v6.0.0-alpha.3", "github.com/a/b/v6", "v6.0.0-alpha.3"),
        ("package.json", '  "port": 8080,', "port", "8080"),
        ("a.py", 'os.environ.get("CACHE_DIR", "/tmp")', "CACHE_DIR", "/tmp"),
        ("a.go", 'os.Getenv("E2E_AGENT")', "E2E_AGENT", ""),
    ],
)
def test_code_and_settings_give_names_values(path: str, line: str, name: str, value: str) -> None:
    assert (name, value) in told(wrote(1, path, f"first\n{line}\nlast"))
    assert (name, value) in told(read(1, path, f"     1→first\n    12→{line}\n"))


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("CI=true pnpm install", "CI", "true"),
        ("cargo build --features fuse", "cargo build --features", "fuse"),
        ("go get github.com/a/b@v1.4.0", "github.com/a/b", "v1.4.0"),
        ("curl http://localhost:8080/api/v1/users", "localhost:8080", "/api/v1/users"),
    ],
)
def test_command_lines_do_too(command: str, name: str, value: str) -> None:
    assert (name, value) in told(ran(1, command))


def test_what_variables_begin_with_and_what_tests_try_is_none() -> None:
    assert not told(edited(1, "a.go", "", "found = false\nindex := 0\nname = other"))
    assert not told(wrote(1, "a_test.go", 'sessionID = "abc"'))
    assert not told(ran(1, "git log --grep ssh | rg --glob '*.go' x"))


def test_a_name_with_two_values_in_one_file_is_none() -> None:
    assert not told(read(1, "a.go", '\tsourceName = "one"\n}\n\tsourceName = "two"\n'))


def test_a_value_is_told_again_only_where_it_changed() -> None:
    steps = [wrote(n, "a.py", f"LIMIT = {value}") for n, value in enumerate((5, 5, 7), 1)]
    assert [(one.step, one.value) for one in valued(steps, path=str)] == [(1, "5"), (3, "7")]


def test_the_values_of_one_session_are_bounded() -> None:
    lines = "\n".join(f"LIMIT_{n} = {n}" for n in range(2_000))
    assert len(valued([wrote(1, "a.py", lines)], path=str)) == MOST_VALUES
