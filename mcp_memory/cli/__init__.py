"""The command line: the six verbs and what a person needs beside them; commands load when called."""

import importlib
import os

import click

from mcp_memory import VERSION

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serve", "Serve the six tools: over stdio, streamable HTTP or SSE."),
    "index": ("index", "Read the agents' histories on this machine, or PATHs, into the bank."),
    "history": ("history", "What hosts keep here, what is indexed, what they will delete."),
    "search": ("search", "Ask past sessions and memories."),
    "recent": ("recent", "Where work was left off: the newest sessions, and what is open."),
    "fetch": ("fetch", "Read in full what refs name."),
    "runbook": ("runbook", "Evidence-backed instructions for one task."),
    "retain": ("retain", "Keep something that was learned, or give feedback on what was used."),
    "consolidate": ("consolidate", "Plan what deserves a memory, or apply memories from a file."),
    "delete": ("delete", "Preview, forget, restore or purge."),
    "undo": ("undo", "Take a batch of changes back."),
    "inspect": ("inspect", "Show steps of a session within a cap."),
    "list": ("list", "List sessions, or memories."),
    "projects": ("projects", "What is one project: show, rename and merge."),
    "status": ("status", "What the bank holds and how it is."),
    "stats": ("stats", "Whether what hooks say unasked pays: injected, opened, used, tokens."),
    "export": ("exchange", "Write the bank as JSON lines."),
    "import": ("exchange", "Read an export, or what another memory tool keeps, as candidates."),
    "doctor": ("doctor", "Check the bank, and repair what is derived."),
    "install": ("install", "Put the server into the settings of the hosts on this machine."),
    "uninstall": ("install", "Take the server out of them again."),
    "push": ("push", "Send sessions of this machine to a remote bank, masked."),
    "pull": ("pull", "Bring a remote project's archive here as files."),
    "bridge": ("bridge", "Serve a remote bank over stdio, to hosts that speak nothing else."),
    "token": ("token", "Access tokens of the remote server: make, list, revoke."),
    "settings": ("settings", "Every setting, its value and its sentence."),
    "eval": ("eval", "Measure search on benchmark data, beside baselines."),
    "tour": ("tour", "See the six tools at work, over stdio, on a small session."),
}
"""Command to the module that holds it and its one line of help."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs: `serve` starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds the command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mcp_memory.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a setting that is none is named, one of a wrong kind is said plainly."""
        from pydantic import ValidationError  # not for a help page

        from mcp_memory import settings

        for name, meant in settings.misspelt(os.environ).items():
            hint = f"; did you mean {meant}?" if meant else "."
            click.echo(f"{name} is no setting and was ignored{hint}", err=True)
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            raise click.ClickException(settings.plainly(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help page, without importing every command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in COMMANDS])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="mcp-memory")
def cli() -> None:
    """Long-term memory for coding agents: past sessions as files and searchable evidence."""
