"""Settings: every one an `MCP_MEMORY_*` variable with its sentence; the README's table is made of them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "MCP_MEMORY_"
TOKEN_VARIABLE = "MCP_MEMORY_REMOTE_TOKEN"  # noqa: S105 a name; a secret is no setting that is shown
Names = Annotated[tuple[str, ...], NoDecode]
"""Separated by commas, so that a host's `env` block can hold it."""


def _default_home() -> Path:
    return user_data_path("mcp-memory", appauthor=False)


def own_folder(address: str) -> Path:
    """Where this machine keeps what is its own of a bank at an address; a hook finds it, too."""
    name = hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:16]
    return _default_home() / "addresses" / name


class Settings(BaseSettings):
    """What a user may choose; read once, at the composition root.

    Raises:
        pydantic.ValidationError: a variable holds a value of the wrong kind.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=_default_home,
        description="Folder of the bank: store, archive, spool and locks; or its address in an object "
        "store that many machines share: `s3://bucket/path`, `gs://`, `az://`, `db://`.",
    )
    address: str = Field(
        default="",
        description="That address, where `home` is to be the folder of what is this machine's own; "
        "credentials are read from the environment as its vendor's tools do.",
    )
    lease_seconds: float = Field(
        default=30.0,
        ge=1,
        description="At an address: how long a machine that writes counts as alive without a sign.",
    )
    project: str = Field(
        default="",
        description="Project that the server stands in; empty: that of the folder it is started in; "
        "`*`: none, so that all projects are asked (as in a desktop app).",
    )
    index_auto: bool = Field(
        default=True,
        description="Whether `serve` keeps the history of allowed projects indexed in the background.",
    )
    index_scope: Literal["project", "everything"] = Field(
        default="project",
        description="What `serve` may index unasked: the project it was started in, or everything; "
        "running `mcp-memory index` once allows everything.",
    )
    unasked: Literal["off", "quiet", "normal", "talkative"] = Field(
        default="normal",
        description="How much hooks say unasked: nothing, the briefing and what is surest, what helped "
        "in eight of ten cases, also what helped in half; `mcp-memory unasked` sets it by project, host "
        "and session.",
    )
    index_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How many seconds the background indexer rests between two looks.",
    )
    include: Names = Field(
        default=(),
        description="Only sessions whose project folder matches one of these patterns are read "
        "(`~/work/*`, comma-separated); empty means all.",
    )
    exclude: Names = Field(
        default=(),
        description="Sessions and transcripts whose folder or path matches one of these patterns "
        "are never read.",
    )
    embedding_model: str = Field(
        default="default",
        description="`default` for the bundled model, `hash` for a test model, `none` for words "
        "only, or the name of a fastembed model.",
    )
    embedding_path: Path | None = Field(
        default=None,
        description="Folder with the files of a fastembed model, where it must not be downloaded.",
    )
    embedding_threads: int = Field(
        default=2, ge=1, le=64, description="Processor threads that the embedding model may use."
    )
    rerank_model: str = Field(
        default="",
        description="A fastembed cross-encoder (`Xenova/ms-marco-MiniLM-L-6-v2`) that reads the "
        "first 20 hits of a search again; empty: none.",
    )
    rerank_path: Path | None = Field(
        default=None,
        description="Folder with the files of that model, where it must not be downloaded.",
    )
    floor: float = Field(
        default=0.07,
        ge=0,
        le=1,
        description="Score that a hit must have to be shown; without one, search names the nearest.",
    )
    search_tokens: int = Field(
        default=500,
        ge=100,
        le=20000,
        description="Default token budget of a search answer, at four bytes of JSON a token.",
    )
    fetch_tokens: int = Field(
        default=1000, ge=100, le=100000, description="Default token budget of a fetch answer."
    )
    runbook_tokens: int = Field(
        default=2000, ge=200, le=20000, description="Default token budget of a runbook."
    )
    step_chars: int = Field(
        default=4000,
        ge=500,
        le=100000,
        description="Characters of one tool output shown in the archive; `fetch` opens the rest.",
    )
    busy_seconds: float = Field(
        default=30.0, gt=0, description="How long to wait for another process's lock."
    )
    # Not HOST and PORT: a Kubernetes service called mcp-memory puts those into the environment.
    listen_host: str = Field(
        default="127.0.0.1",
        description="Address that `serve --transport http` or `sse` listens on; any but loopback "
        "needs access tokens or an OAuth issuer.",
    )
    listen_port: int = Field(
        default=8765, ge=0, le=65535, description="Port of that address; 0: any."
    )
    public_url: str = Field(
        default="",
        description="The server's address as clients see it (`https://memory.example.org`), where "
        "it is not the one listened on.",
    )
    allowed_hosts: Names = Field(
        default=(),
        description="Further names under which clients may reach the server (`Host`), "
        "comma-separated.",
    )
    allowed_origins: Names = Field(
        default=(),
        description="Web pages that may call the server (`Origin`), comma-separated; others are "
        "refused.",
    )
    trusted_proxies: Names = Field(
        default=(),
        description="Addresses of proxies whose `X-Forwarded-For` and `-Proto` are believed.",
    )
    tls_certificate: Path | None = Field(
        default=None, description="Certificate file (PEM, whole chain): the server speaks TLS."
    )
    tls_key: Path | None = Field(default=None, description="Private key file of the certificate.")
    stateless: bool = Field(
        default=False,
        description="Whether clients of older protocol versions get no session either, so that any "
        "replica can answer any request; the newest version never has one.",
    )
    request_bytes: int = Field(
        default=4_194_304,
        ge=1_024,
        le=104_857_600,
        description="Largest request body that the remote server takes.",
    )
    request_seconds: float = Field(
        default=20.0, gt=0, description="How long a request's headers, and its body, may take."
    )
    requests_per_minute: int = Field(
        default=6_000,
        ge=0,
        description="Requests a minute that one caller may make; 0: any number.",
    )
    connections: int = Field(
        default=512, ge=8, le=65_536, description="Most connections that are served at a time."
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        description="How many seconds a server that is told to stop goes on answering, no more ready "
        "(`/readyz`), so that a balancer sends callers elsewhere.",
    )
    oauth_issuer: str = Field(
        default="",
        description="OAuth issuer (URL) whose signed tokens (JWT) are accepted.",
    )
    oauth_keys: str = Field(
        default="",
        description="File or URL of the issuer's keys (JWKS); empty: as its metadata says.",
    )
    oauth_audience: str = Field(
        default="",
        description="Audience that its tokens must be made for; empty: the server's own URL.",
    )
    oauth_tenant_claim: str = Field(
        default="sub",
        description="Claim that says whose bank a token opens, one bank a value; `-`: all share "
        "the server's own.",
    )
    push_url: str = Field(
        default="",
        description="Remote bank that `serve` and `index --watch` push sessions to in the background, "
        "masked; empty: none.",
    )
    push_projects: Names = Field(
        default=(),
        description="Projects that are pushed there, whole or by their folder's name, "
        "comma-separated, `*` for all; empty: the one that the server was started in.",
    )
    push_seconds: float = Field(
        default=300.0, gt=0, description="How many seconds it rests between two pushes."
    )
    review: bool = Field(
        default=False,
        description="Whether a server keeps what tokens of scope `write` retain as a proposal, which "
        "stands only once somebody who may approve says so; for a bank that a team shares.",
    )
    team_url: str = Field(
        default="",
        description="Bank of a team that `search`, `fetch`, `recent` and `runbook` ask beside this "
        "one; of what is here, only the question leaves, masked, with the project's folder name. "
        "Empty: none.",
    )
    team_token_file: Path | None = Field(
        default=None,
        description="File with the access token for it; else `MCP_MEMORY_REMOTE_TOKEN_FILE`.",
    )
    team_projects: Names = Field(
        default=(),
        description="Projects of which it is asked, by their folder's name, comma-separated; then a "
        "question to all projects (`*`) stays here. Empty: all.",
    )
    team_seconds: float = Field(
        default=2.0,
        gt=0,
        le=30,
        description="How long an answer waits for it before this machine's own is given alone.",
    )
    remote_token_file: Path | None = Field(
        default=None,
        description="File with the access token for remote banks (`push`, `pull`, `bridge`).",
    )
    remote_insecure: bool = Field(
        default=False,
        description="Whether remote banks beyond loopback may be reached without TLS.",
    )
    local_paths: bool = Field(
        default=True,
        description="Whether answers name files of the archive; a server with authentication "
        "never does.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING", description="How much is written to stderr."
    )

    @field_validator(
        "include",
        "exclude",
        "allowed_hosts",
        "allowed_origins",
        "trusted_proxies",
        "push_projects",
        "team_projects",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("index_scope", mode="before")
    @classmethod
    def _consented(cls, value: object) -> object:
        # A host's settings page has check boxes, and hands on `true` or `false`.
        told = {"true": "everything", "false": "project"}
        return told.get(str(value).casefold(), value)

    @model_validator(mode="before")
    @classmethod
    def _addressed(cls, told: object) -> object:
        """A home that is an address, and in its place the folder of what is this machine's own."""
        home = told.get("home") if isinstance(told, dict) else None
        if not isinstance(told, dict) or "://" not in str(home):
            return told
        return {**told, "address": str(home), "home": own_folder(str(home))}

    @model_validator(mode="after")
    def _shared(self) -> "Settings":
        if self.address:
            # Its files are no files of this machine.
            object.__setattr__(self, "local_paths", False)
        return self

    @field_validator("home", mode="before")
    @classmethod
    def _chosen(cls, value: object) -> object:
        # A host hands on an empty string for what its user left out; a path of it would be ".".
        return value or _default_home()

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        # LanceDB takes a bare relative name such as `db` for a cloud address.
        return value.expanduser().absolute()

    @property
    def store_dir(self) -> Path:
        """The LanceDB database."""
        return self.home / "store"

    @property
    def archive_dir(self) -> Path:
        """The files rendered from trajectories."""
        return self.home / "archive"

    @property
    def memories_dir(self) -> Path:
        """A file a memory, for people to read and to edit."""
        return self.home / "memories"

    @property
    def spool_dir(self) -> Path:
        """What hooks left for the indexer."""
        return self.home / "spool"

    @property
    def dreams_dir(self) -> Path:
        """Where hosts work that were sent to consolidate; what they say there is no history."""
        return self.home / "dreams"

    @property
    def locks_dir(self) -> Path:
        """Lock files of the processes that share this home."""
        return self.home / "locks"

    @property
    def access_dir(self) -> Path:
        """Access tokens of the remote server, as hashes."""
        return self.home / "access"

    def of_tenant(self, tenant: str) -> "Settings":
        """The same settings with the tenant's own home; this machine's history is none of its own."""
        if not tenant:
            return self
        home = self.home / "tenants" / tenant
        address = self.address and f"{self.address.rstrip('/')}/tenants/{tenant}"
        told = {"home": home, "address": address, "index_auto": False}
        return self.model_copy(update={**told, "push_url": "", "team_url": ""})


def misspelt(variables: Iterable[str]) -> dict[str, str]:
    """Variables that look like settings and are none, each with the nearest setting, or nothing."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    strange = sorted(
        name
        for name in variables
        if name.upper().startswith(PREFIX) and name.upper() not in {*known, TOKEN_VARIABLE}
    )
    if not strange:
        return {}
    import difflib  # not for what is no mistake

    near = {name: difflib.get_close_matches(name.upper(), known, n=1) for name in strange}
    return {name: next(iter(found), "") for name, found in near.items()}


def plainly(error: ValidationError) -> str:
    """What is wrong with settings or arguments, named as the user wrote them."""
    prefix = PREFIX if error.title == Settings.__name__ else ""
    faults = []
    for each in error.errors():
        name = ".".join(map(str, each["loc"]))
        shown = f"{prefix}{name.upper()}" if prefix else name
        faults.append(f"{shown}={str(each['input'])[:80]!r}: {each['msg']}")
    return f"{'; '.join(faults)}. Nothing was changed. Mend it, and run the command again."
