"""Bucket: files in an object store, through Arrow's file systems; credentials by the environment alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import AddressRefused, StoreAway
from mcp_memory.domain.replacing import replace
from mcp_memory.store.away import reason
from mcp_memory.store.shelf import CHUNK, Item

MOST_COPIES = 64
"""Files that were opened of late, kept as copies; the oldest go."""
_SECONDS = 10.0


class BucketShelf:
    """A part of a bucket. An object is there whole or not at all; folders are but names."""

    def __init__(self, scheme: str, base: str, *, endpoint: str, copies: Path) -> None:
        self._scheme = scheme
        self._base = base
        self._endpoint = endpoint
        self._copies = copies

    @property
    def root(self) -> None:
        """No folder: no program of this machine can grep it."""
        return

    def __str__(self) -> str:
        """Its address."""
        return f"{self._scheme}://{self._base}"

    def there(self) -> bool:
        """A bucket is there until a request fails, and that tells why."""
        return True

    def contains(self, name: str) -> bool:
        """Whether a name stays below the root: there are no links, and no way up."""
        return ".." not in name.split("/")

    def is_link(self, name: str) -> bool:
        """There are none."""
        del name
        return False

    def has(self, name: str) -> bool:
        """Whether there is such an object."""
        return self._size(name) is not None

    def put(self, name: str, content: bytes) -> bool:
        """Put an object in place; False for one that holds these bytes already.

        Raises:
            StoreAway: the store took it not, or did not answer.
        """
        if self._size(name) == len(content) and b"".join(self.pieces(name)) == content:
            return False
        self.write(name, content)
        return True

    def write(self, name: str, content: bytes) -> None:
        """Put an object in place, whatever is there.

        Raises:
            StoreAway: the store took it not, or did not answer.
        """
        with _asking(str(self)), self._files.open_output_stream(self._at(name)) as stream:
            stream.write(content)

    def stamp(self, name: str) -> str:
        """What is another whenever an object was written; empty where it is not there. One request."""
        try:
            with _asking(str(self)), self._files.open_input_file(self._at(name)) as file:
                told = file.metadata()
        except FileNotFoundError:
            return ""
        return str(told.get("generation") or told["ETag"])

    def remove(self, name: str) -> bool:
        """Remove an object; whether it was there."""
        with _asking(str(self)):
            if self._size(name) is None:
                return False
            self._files.delete_file(self._at(name))
        return True

    def drop(self, folder: str) -> bool:
        """Remove all objects below a name; whether there were any."""
        with _asking(str(self)):
            there = bool(self._infos(folder, recursive=True))
            if there:
                self._dropped(folder)
        return there

    def _dropped(self, folder: str) -> None:
        """Arrow stops at the first that is not there: one that went meanwhile, or a folder's own mark.

        At Google's it looks for that mark, which no object has that was put without folders.
        """
        try:
            self._files.delete_dir(self._at(folder))
        except FileNotFoundError:
            for item in self.listed(folder):
                with suppress(FileNotFoundError):
                    self._files.delete_file(self._at(item.name))

    def drop_empty(self, folder: str) -> None:
        """A folder that holds nothing is nothing, but for a mark that some leave."""
        if not any(True for _ in self.listed(folder)):
            self.drop(folder)

    def drop_abandoned(self, folder: str) -> None:
        """Nothing is ever half-written: an object appears when it is whole."""

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders in a folder, in order; none where it is not there."""
        if self._scheme == "gs":
            # Arrow tells a folder of Google's only where an object marks it, and ours have none.
            at = f"{folder}/" if folder else ""
            below = (item.name.removeprefix(at) for item in self.listed(folder))
            return sorted({name.partition("/")[0] for name in below if "/" in name})
        found = self._infos(folder, recursive=False)
        return sorted(each.base_name for each in found if not each.is_file)

    def listed(self, folder: str = "") -> Iterator[Item]:
        """All objects below a folder."""
        for each in self._infos(folder, recursive=True):
            if each.is_file:
                name = each.path.removeprefix(f"{self._base}/")
                yield Item(name, each.size, each.mtime.timestamp())

    def lines(self, name: str, first: int, last: int) -> tuple[bytes, ...]:
        """Lines of an object, both ends included; none where it is not there."""
        try:
            return tuple(islice(self._lines(name), max(0, first - 1), max(0, last)))
        except FileNotFoundError:
            return ()

    def pieces(self, name: str) -> Iterator[bytes]:
        """An object's bytes, some at a time.

        Raises:
            FileNotFoundError: there is none.
        """
        with _asking(str(self)), self._files.open_input_stream(self._at(name)) as stream:
            while piece := stream.read(CHUNK):
                yield piece

    def local(self, name: str) -> Path:
        """A copy of the object on this machine, read anew each time.

        Raises:
            FileNotFoundError: there is none.
        """
        content = b"".join(self.pieces(name))
        privacy.make(self._copies)
        copy = self._copies / sha256(name.encode() + content).hexdigest()[:32]
        replace(copy, content)
        kept = sorted(self._copies.iterdir(), key=lambda each: each.stat().st_mtime)
        for old in kept[:-MOST_COPIES]:
            old.unlink(missing_ok=True)
        return copy

    def _lines(self, name: str) -> Iterator[bytes]:
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in whole)
        if rest:
            yield rest

    def _at(self, name: str) -> str:
        return f"{self._base}/{name}" if name else self._base

    def _size(self, name: str) -> int | None:
        with _asking(str(self)):
            told = self._files.get_file_info(self._at(name))
        return int(told.size) if told.is_file else None

    def _infos(self, folder: str, *, recursive: bool) -> list[Any]:
        from pyarrow import fs  # heavy: only once a store is open

        chosen = fs.FileSelector(self._at(folder), recursive=recursive, allow_not_found=True)
        with _asking(str(self)):
            found: list[Any] = self._files.get_file_info(chosen)
        return found

    @cached_property
    def _files(self) -> Any:
        from pyarrow import fs  # heavy: only once a store is open

        there = urlsplit(self._endpoint)
        if self._scheme == "gs":
            return _google(fs, there)
        if self._scheme == "az":
            return _azure(fs, there)
        told: dict[str, Any] = {}
        if there.netloc:
            told = {"endpoint_override": there.netloc, "scheme": there.scheme}
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if region:
            told["region"] = region
        told["allow_delayed_open"] = True  # a small object in one request, not three
        return fs.S3FileSystem(connect_timeout=_SECONDS, request_timeout=_SECONDS * 3, **told)


@contextmanager
def _asking(place: str) -> Iterator[None]:
    """What the object store says no to, in our words; that something is not there is no fault."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreAway(place, reason(error)) from error


def _google(fs: Any, there: SplitResult) -> Any:
    if not there.netloc:
        return fs.GcsFileSystem()
    told = {"endpoint_override": there.netloc, "scheme": there.scheme, "anonymous": True}
    return fs.GcsFileSystem(retry_time_limit=timedelta(seconds=_SECONDS), **told)


def _azure(fs: Any, there: SplitResult) -> Any:
    account = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    if not account:
        raise AddressRefused(
            "az:// needs an account, and AZURE_STORAGE_ACCOUNT_NAME is not set.",
            next_step="Set it, and AZURE_STORAGE_ACCOUNT_KEY where no identity is given.",
        )
    key = os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
    return fs.AzureFileSystem(account, account_key=key, **azure_hosts(account, there))


def azure_hosts(account: str, there: SplitResult) -> dict[str, str]:
    """Where Azure answers, as Arrow is told of it; nothing for its own place.

    Arrow puts the account before a name that begins with a dot, and behind any other as a path.
    """
    if not there.netloc:
        return {}
    host = there.netloc.removeprefix(account)
    return {
        "blob_storage_authority": host,
        "blob_storage_scheme": there.scheme,
        "dfs_storage_authority": host.replace(".blob.", ".dfs.", 1),
        "dfs_storage_scheme": there.scheme,
    }
