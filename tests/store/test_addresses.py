"""Addresses: what is one, what it may hold, and what a bank there says that it cannot do."""

from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.bank import open_bank
from mcp_memory.checkup import backups, doctor, restoring
from mcp_memory.domain.errors import AddressRefused, StoreAway
from mcp_memory.domain.models import Draft
from mcp_memory.hooks import spool
from mcp_memory.settings import Settings
from mcp_memory.store import papers
from mcp_memory.store.address import Address, Home, parse
from mcp_memory.store.away import reason
from mcp_memory.store.bucket import MOST_COPIES, azure_hosts


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("s3://bank/team/a", "s3://bank/team/a/store/lance"),
        ("gs://bank", "gs://bank/store/lance"),
        ("az://bank/a/", "az://bank/a/store/lance"),
        ("db://team", "db://team"),
    ],
)
def test_an_address_says_where_its_tables_are(text: str, tables: str) -> None:
    address = parse(text)
    assert address is not None
    assert address.tables() == tables
    assert str(address) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    [
        "ftp://x/y",
        "s3://",
        "s3://bank/../other",
        "s3:/bank",
        "http://bank/x",
        "s3://bank/a b",
        "s3://b\n",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused, match="Nothing was changed"):
        parse(text)


@pytest.mark.parametrize("text", ["s3://KEY:SECRET@bank/x", "s3://bank/x?secret=SECRET"])
def test_credentials_have_no_place_in_an_address_and_are_not_told(text: str) -> None:
    with pytest.raises(AddressRefused, match="environment") as refused:
        parse(text)
    assert "SECRET" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse(text)
    except AddressRefused:
        return
    assert address is None or parse(str(address)) == address


def test_a_service_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANCEDB_API_KEY", raising=False)
    with pytest.raises(AddressRefused, match="LANCEDB_API_KEY"):
        Address("db", "team").options()
    monkeypatch.setenv("LANCEDB_API_KEY", "k")
    assert Address("db", "team").options()["api_key"] == "k"


@pytest.mark.parametrize(
    ("endpoint", "blob", "dfs"),
    [
        ("http://127.0.0.1:10000/team", "127.0.0.1:10000", "127.0.0.1:10000"),
        (
            "https://team.blob.core.chinacloudapi.cn",
            ".blob.core.chinacloudapi.cn",
            ".dfs.core.chinacloudapi.cn",
        ),
    ],
)
def test_another_place_of_azure_is_told_to_both_libraries(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, blob: str, dfs: str
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", endpoint)
    address = Address("az", "bank")
    told = address.options()["storage_options"]
    assert told["azure_storage_endpoint"] == endpoint
    assert told["allow_http"] == str(endpoint.startswith("http://")).lower()
    hosts = azure_hosts("team", urlsplit(address.endpoint()))
    assert (hosts["blob_storage_authority"], hosts["dfs_storage_authority"]) == (blob, dfs)
    monkeypatch.delenv("AZURE_STORAGE_ENDPOINT")
    assert azure_hosts("team", urlsplit(address.endpoint())) == {}


def test_the_home_may_be_named_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", "s3://bank/team")
    settings = Settings()
    assert settings.address == "s3://bank/team"
    assert settings.home == spool.home(), "a hook leaves its notes where a server looks"
    assert settings.home.is_absolute()
    assert "addresses" in settings.home.parts
    assert not settings.local_paths
    assert settings.of_tenant("ada").address == "s3://bank/team/tenants/ada"


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "access/../../x.json", "store/lance", "access/a/b.json", "rules.toml"],
)
def test_only_papers_that_are_shared_are_taken_from_others(name: str) -> None:
    assert not papers.is_shared(name)
    assert papers.is_shared("access/0a1b.json")


async def test_a_store_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    settings = Settings(home=tmp_path, address="s3://bank/x", embedding_model="none")
    with pytest.raises(StoreAway, match=r"(?i)connection refused.*credentials"):
        async with open_bank(settings):
            pass


async def test_what_only_a_folder_can_do_is_refused_and_all_else_is_well(
    objects: str, tmp_path: Path
) -> None:
    address = f"{objects}/{uuid4().hex[:8]}"
    settings = Settings(home=tmp_path / "own", address=address, embedding_model="hash")
    async with open_bank(settings) as bank:
        await bank.retain(Draft(text="The heron build needs a nest.", project="user"))
        with pytest.raises(AddressRefused, match="one file"):
            await backups.back_up(bank.rooms, tmp_path / "backup.tar.gz")
        assert [one for one in await doctor.check(bank.rooms) if not one.good] == []
        assert any(address in note for note in (await bank.status()).notes)
    with pytest.raises(AddressRefused, match="backup"):
        restoring.restore(settings, tmp_path / "b", now=bank.rooms.now(), replace=True)
    kept = {each.name for each in (tmp_path / "own").rglob("*") if each.is_file()}
    assert not any(name.endswith((".lance", ".md", ".jsonl")) for name in kept), "only its own part"


def test_copies_of_files_are_bounded(objects: str, tmp_path: Path) -> None:
    shelf = Home(tmp_path, parse(f"{objects}/copies")).shelf("archive")
    for number in range(MOST_COPIES + 3):
        shelf.put("a/INDEX.md", f"{number}\n".encode())
        assert shelf.local("a/INDEX.md").read_bytes() == f"{number}\n".encode()
    assert len(list((tmp_path / "copies").iterdir())) == MOST_COPIES
    with pytest.raises(FileNotFoundError):
        shelf.local("a/none.md")
    assert shelf.folders() == ["a"]
    assert not shelf.put("a/INDEX.md", f"{MOST_COPIES + 2}\n".encode()), "the same is not put again"
    assert shelf.lines("a/INDEX.md", 1, 5) == (f"{MOST_COPIES + 2}\n".encode(),)
    assert shelf.drop("a")
    assert not shelf.drop("a")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'inner: Status { status: 404, body: Some("<Error><Code>NoSuchBucket</Code>',
            "NoSuchBucket",
        ),
        ("inner: Status { status: 503, body: None }", "status: 503"),
        (
            'ConnectError("tcp connect error", Os { message: "Connection refused" })',
            "Connection refused",
        ),
        ("something else\nand more", "something else"),
        ("", "ValueError"),
    ],
)
def test_of_what_a_store_says_the_part_that_helps_is_told(said: str, told: str) -> None:
    assert reason(ValueError(said)) == told
