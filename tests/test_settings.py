"""Settings: each is read somewhere, and those that no other room's tests set do what their sentence says."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Reading, Task
from mcp_memory.remote import background
from mcp_memory.remote.team import open_team
from mcp_memory.rooms import embedder_of
from mcp_memory.server import issuer, listening, logs
from mcp_memory.settings import Settings
from mcp_memory.store.address import home_of

PACKAGE = Path(__file__).parent.parent / "mcp_memory"
OTHERS = "\n".join(
    path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.stem != "settings"
)
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_and_tried(name: str) -> None:
    assert re.search(rf"\.{name}\b", OTHERS), "nobody reads it: delete it"
    assert re.search(rf"\b({name}|{name.upper()})\b", TESTS), "no test sets it"


async def test_answers_are_as_long_as_the_settings_say(settings: Settings, tmp_path: Path) -> None:
    short = settings.model_copy(update={"fetch_tokens": 100, "runbook_tokens": 200})
    task = Task(text="write customers out", error="UnicodeEncodeError")
    sizes = []
    for each in (settings, short):
        async with open_bank(each, cwd=str(tmp_path / "shop")) as bank:
            await bank.index(written(tmp_path))
            (session, *_) = await bank.listing("sessions")
            read = await bank.fetch(Reading(refs=(session.ref,)))
            made = await bank.runbook(task)
            sizes.append((len(read.items[0].text), len(made.model_dump_json())))
    (long_text, long_page), (text, page) = sizes
    assert text <= 400 < long_text
    assert page < long_page


def test_a_server_answers_to_the_names_and_pages_that_are_allowed(settings: Settings) -> None:
    told = {"allowed_hosts": ("Memory.internal",), "allowed_origins": ("https://page.example",)}
    names = listening.names_of(settings.model_copy(update=told))
    assert "memory.internal" in names.hosts
    assert "https://page.example" in names.origins
    assert "memory.internal" not in listening.names_of(settings).hosts


def test_tokens_of_an_issuer_are_for_the_audience_that_is_set(settings: Settings) -> None:
    told = {"oauth_issuer": "https://login.example"}
    for audience in ("", "the-memory"):
        chosen = settings.model_copy(update={**told, "oauth_audience": audience})
        built = issuer.build_issuer(chosen, audience="https://memory.example/mcp")
        assert built is not None
        assert built._audience == (audience or "https://memory.example/mcp")


def test_only_the_projects_that_are_named_are_pushed_unasked(settings: Settings) -> None:
    chosen = settings.model_copy(update={"push_projects": ("/work/shop",)})
    assert background.terms_of(chosen, "/work/till").only == ("/work/shop",)
    assert background.terms_of(settings, "/work/till").only == ("/work/till",)


async def test_an_unencrypted_bank_is_asked_only_where_that_is_allowed(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    plain = settings.model_copy(update={"team_url": "http://memory.example"})
    for chosen, fault in (
        (plain, True),
        (plain.model_copy(update={"remote_insecure": True}), False),
    ):
        async with open_team(chosen, clock=lambda: 0.0):
            assert ("unencrypted" in caplog.text) is fault
            caplog.clear()


@pytest.fixture
def _levels() -> Iterator[None]:
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(before)
    root.handlers[:] = handlers


@pytest.mark.usefixtures("_levels")
def test_messages_begin_at_the_level_that_is_set(settings: Settings) -> None:
    logs.to_stderr(settings.model_copy(update={"log_level": "ERROR"}))
    assert logging.getLogger().level == logging.ERROR


def test_a_machine_at_an_address_counts_as_alive_for_so_long(settings: Settings) -> None:
    assert home_of(settings.model_copy(update={"lease_seconds": 7.0})).lease_seconds == 7.0


def test_the_models_folder_and_threads_are_those_that_are_set(
    settings: Settings, tmp_path: Path
) -> None:
    told = {"embedding_model": "default", "embedding_path": tmp_path, "embedding_threads": 3}
    built = embedder_of(settings.model_copy(update=told))
    assert built is not None
    assert (built._path, built._threads) == (tmp_path, 3)
