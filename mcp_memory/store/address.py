"""Address: where a bank lies: a folder of this machine, or an object store that many machines share."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory.domain.errors import AddressRefused
from mcp_memory.settings import Settings
from mcp_memory.store.bucket import BucketShelf
from mcp_memory.store.shelf import FolderShelf, Shelf

SCHEMES = ("s3", "gs", "az", "db")
SERVED = "db"
"""LanceDB's own service: tables without files that we could see."""
KEY = "LANCEDB_API_KEY"
_RETRY_SECONDS = "15"
"""Lance asks a store that does not answer for three minutes by itself; a caller waits for that."""
_SPELLED = re.compile(
    r"(?P<scheme>[a-z0-9]+)://(?P<bucket>[A-Za-z0-9][\w.-]{1,221})(?P<path>(?:/[\w.-]+)*)/?"
)
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    "gs": ("STORAGE_EMULATOR_HOST",),
}
"""Where a store answers that is not the vendor's own, as its tools read it; the first that is set."""
_TOLD_AS = {"s3": "aws_endpoint", "az": "azure_storage_endpoint", "gs": "google_base_url"}
"""How Lance is told of it."""

_NOBODY = {"google_storage_token": "none"}
"""Google's emulators know nobody, and Lance asks its cloud for a token unless it is given any."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place in an object store; what opens it stands in the environment, never in the address."""

    scheme: str
    bucket: str
    path: str = ""

    def __str__(self) -> str:
        """As a user writes it."""
        return f"{self.scheme}://{self.bucket}{'/' if self.path else ''}{self.path}"

    @property
    def served(self) -> bool:
        """Whether a service keeps the tables, so that there are no files of ours."""
        return self.scheme == SERVED

    def below(self, name: str) -> str:
        """The bucket and the path of something in it, as pyarrow spells it."""
        return "/".join(filter(None, (self.bucket, self.path, name)))

    def endpoint(self) -> str:
        """Where the store answers, by the environment; empty for the vendor's own."""
        named = (os.environ.get(name, "") for name in _ENDPOINTS.get(self.scheme, ()))
        told = next(filter(None, named), "")
        return told if not told or "://" in told else f"http://{told}"

    def tables(self) -> str:
        """What LanceDB connects to."""
        return str(self) if self.served else f"{self.scheme}://{self.below('store/lance')}"

    def options(self) -> dict[str, Any]:
        """How LanceDB connects to it, by the environment.

        Raises:
            AddressRefused: what it needs is not set.
        """
        if self.served:
            if not os.environ.get(KEY):
                raise AddressRefused(
                    f"{self} needs a key, and {KEY} is not set.",
                    next_step=f"Set {KEY} in the environment of this program.",
                )
            region = os.environ.get("LANCEDB_REGION", "us-east-1")
            return {"api_key": os.environ[KEY], "region": region}
        told = {"client_retry_timeout": _RETRY_SECONDS}
        if endpoint := self.endpoint():
            told[_TOLD_AS[self.scheme]] = endpoint
            told["allow_http"] = str(endpoint.startswith("http://")).lower()
            if self.scheme == "gs":
                told |= _NOBODY
        return {"storage_options": told}


@dataclass(frozen=True, slots=True)
class Home:
    """Where all of a bank is: what is this machine's own in a folder, the rest there or shared."""

    folder: Path
    address: Address | None = None
    lease_seconds: float = 30.0
    """How long a machine that writes counts as alive without a sign of it."""

    @property
    def papers(self) -> Path:
        """The folder of the store's papers; at an address a copy of those that are shared."""
        return self.folder / "store"

    @property
    def locks(self) -> Path:
        """The folder of the locks between processes of this machine."""
        return self.folder / "locks"

    def tables(self) -> str:
        """What LanceDB connects to."""
        return self.address.tables() if self.address else str(self.papers / "lance")

    def shelf(self, name: str) -> Shelf:
        """Where files of this name lie: `archive`, or `store/lance`.

        A service keeps tables only: there the archive is a folder of the machine that indexes.
        """
        if self.address is None or self.address.served:
            return FolderShelf(self.folder / name)
        return BucketShelf(
            self.address.scheme,
            self.address.below(name),
            endpoint=self.address.endpoint(),
            copies=self.folder / "copies",
        )

    def must_be_folder(self, what: str, *, instead: str) -> None:
        """Refuse what only a folder can do.

        Raises:
            AddressRefused: this bank is at an address.
        """
        if self.address is not None:
            raise AddressRefused(f"{self.address} cannot {what}.", next_step=instead)


def parse(text: str) -> Address | None:
    """The address that a text is; None for nothing, which is a folder.

    Raises:
        AddressRefused: it is none that is known, or it holds what must not stand in it.
    """
    if not text:
        return None
    told = text.partition("?")[0].rpartition("@")[2][:120]
    if "@" in text or "?" in text:
        raise AddressRefused(
            f"An address holds a bucket and a path, and no more ({told} …).",
            next_step="Keys and endpoints are read from the environment (AWS_ACCESS_KEY_ID, "
            "AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME, …).",
        )
    found = _SPELLED.fullmatch(text)
    if found is None or found["scheme"] not in SCHEMES or "/.." in found["path"]:
        raise AddressRefused(
            f"{told!r} is no address of a bank.",
            next_step="Name a folder, or s3://bucket/path, gs://bucket/path, az://container/path "
            "or db://database.",
        )
    return Address(found["scheme"], found["bucket"], found["path"].strip("/"))


def home_of(settings: Settings) -> Home:
    """A bank's home by its settings.

    Raises:
        AddressRefused: the address is none.
    """
    return Home(settings.home, parse(settings.address), settings.lease_seconds)
