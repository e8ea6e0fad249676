"""What is shipped beside the package: workflows, container, services; all of them say what is true."""

import plistlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcp_memory.cli import COMMANDS
from mcp_memory.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DOCKERFILE = (ROOT / "manifests" / "container" / "Dockerfile").read_text(encoding="utf-8")
UNIT = (ROOT / "manifests" / "service" / "mcp-memory.service").read_text(encoding="utf-8")
PLIST = ROOT / "manifests" / "service" / "org.mcp-memory.serve.plist"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(workflow: Path) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each)] == []
    lines = [line for line in workflow.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert [line for line in lines if not re.search(r"# v\d+\.\d+\.\d+$", line)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow_may_read_only_unless_a_job_says_why(workflow: Path) -> None:
    told = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert told["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in told["jobs"].values())


def test_a_release_is_published_without_a_token_of_its_own() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    publish = release["jobs"]["publish"]
    assert publish["permissions"]["id-token"] == "write"
    assert publish["environment"] == "pypi"
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "password" not in text


def test_other_systems_run_the_suite_too() -> None:
    told = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    systems = told["jobs"]["elsewhere"]["strategy"]["matrix"]["os"]
    assert {system.split("-")[0] for system in systems} == {"macos", "windows"}


def test_the_image_runs_as_nobody_in_particular_from_a_pinned_base() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert re.search(r"^USER 10001$", DOCKERFILE, re.MULTILINE)
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("ENTRYPOINT")


@pytest.mark.parametrize("text", [DOCKERFILE, UNIT, PLIST.read_text(encoding="utf-8")])
def test_only_settings_that_there_are_are_set(text: str) -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+)", text))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}


def test_services_start_commands_that_there_are() -> None:
    started = re.search(r"^ExecStart=(.+)$", UNIT, re.MULTILINE)
    assert started is not None
    arguments = shlex.split(started[1])[1:]
    assert arguments == plistlib.loads(PLIST.read_bytes())["ProgramArguments"][1:]
    assert arguments[0] in COMMANDS
    assert f'CMD ["{arguments[0]}"' in DOCKERFILE


def test_the_image_holds_what_the_build_needs() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    copied = re.search(r"^COPY (pyproject.+) \./$", DOCKERFILE, re.MULTILINE)
    assert copied is not None
    for name in copied[1].split():
        assert (ROOT / name).is_file()
        assert f"!{name}" in ignored


def test_the_package_says_where_it_runs() -> None:
    told = PROJECT["classifiers"]
    for system in ("POSIX :: Linux", "MacOS", "Microsoft :: Windows"):
        assert f"Operating System :: {system}" in told
    assert PROJECT["readme"] == "README.md"
    assert PROJECT["license"] == "Apache-2.0"
