"""The command line: the six verbs and what a person needs beside them; commands load when called."""

import importlib
import os
import sys
from types import ModuleType

import click

from mcp_memory import VERSION
from mcp_memory.cli import ending
from mcp_memory.cli.drawing import waiting
from mcp_memory.server import collecting

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serve", "Serve the six tools: over stdio, streamable HTTP or SSE."),
    "index": ("index", "Read the agents' histories on this machine, or PATHs, into the bank."),
    "history": ("history", "What hosts keep here, what is indexed, what they will delete."),
    "search": ("search", "Ask past sessions and memories."),
    "recent": ("recent", "Where work was left off: the newest sessions, and what is open."),
    "blame": ("blame", "Which sessions changed a file, and why."),
    "fix": ("fix", "What was done before after an error."),
    "how": ("how", "Commands that worked here for something."),
    "restore": ("restore", "A file's text as a past session last wrote or read it."),
    "resume": ("resume", "The host's own command that goes on with a session."),
    "fetch": ("fetch", "Read in full what refs name."),
    "runbook": ("runbook", "Evidence-backed instructions for one task."),
    "retain": ("retain", "Keep something that was learned, or give feedback on what was used."),
    "edit": ("edit", "Open a memory's file in your editor; what you change is your word."),
    "consolidate": ("consolidate", "Plan what deserves a memory, or apply memories from a file."),
    "dream": ("dream", "Send your own agent to consolidate, within a budget, as one batch."),
    "delete": ("delete", "Preview, forget, restore or purge."),
    "release": ("release", "Tell after all what was held back."),
    "distrust": ("distrust", "Tell nothing of a session, a file or a host any more."),
    "undo": ("undo", "Take a batch of changes back."),
    "inspect": ("inspect", "Show steps of a session within a cap."),
    "list": ("list", "List sessions, or memories."),
    "projects": ("projects", "What is one project: show, rename and merge."),
    "status": ("status", "What the bank holds and how it is."),
    "view": ("view", "Look at the memory in a browser: what it knows, why, what waits for you."),
    "stats": (
        "stats",
        "Whether what hooks say unasked pays: said, opened, used, followed, tokens.",
    ),
    "said": ("said", "Every text that hooks put before a model, as it was said."),
    "unasked": ("unasked", "How much hooks say: off, quiet, normal, talkative; where and to whom."),
    "export": ("exchange", "Write the bank as JSON lines."),
    "import": ("exchange", "Read an export, or what another memory tool keeps, as candidates."),
    "doctor": ("doctor", "Check the bank, and repair it."),
    "backup": ("backup", "Write the whole bank to one file while others write, or restore it."),
    "setup": ("setup", "Find agents and their history, and set memory up for all of them."),
    "install": ("install", "Put the server into the settings of the hosts on this machine."),
    "uninstall": ("install", "Take the server out of them again."),
    "push": ("push", "Send sessions of this machine to a remote bank, masked."),
    "pull": ("pull", "Bring a remote project's archive here as files."),
    "bridge": ("bridge", "Serve a remote bank over stdio, to hosts that speak nothing else."),
    "propose": ("propose", "Send a memory of yours to the team's bank, to be reviewed."),
    "proposals": ("proposals", "What waits for review, at the team's bank or here."),
    "approve": ("proposals", "Let a proposal stand."),
    "decline": ("proposals", "Put a proposal to rest, with a reason."),
    "token": ("token", "Access tokens of the remote server: make, list, revoke."),
    "audit": ("audit", "Who did what when to which refs; tokens too; no text."),
    "settings": ("settings", "Every setting, its value and its sentence."),
    "eval": ("eval", "Measure search on benchmark data, beside baselines."),
    "tour": ("tour", "See the six tools at work, over stdio, on a small session."),
}
"""Command to the module that holds it and its one line of help."""


SECTIONS: dict[str, tuple[str, ...]] = {
    "Ask": ("search", "recent", "blame", "fix", "how", "runbook", "fetch", "inspect", "list"),
    "Go on": ("resume", "restore"),
    "Keep": (
        "retain",
        "edit",
        "consolidate",
        "dream",
        "delete",
        "release",
        "distrust",
        "undo",
        "export",
        "import",
    ),
    "Set up": ("setup", "install", "uninstall", "index", "history", "serve", "settings", "tour"),
    "Look after": ("status", "stats", "said", "unasked", "projects", "doctor", "backup"),
    "Share": (
        "push",
        "pull",
        "bridge",
        "propose",
        "proposals",
        "approve",
        "decline",
        "token",
        "audit",
    ),
}
"""The help page by what one wants; a command that is in none stands last."""
MEANT = {
    **dict.fromkeys(("ask", "find", "grep", "query", "recall"), "search"),
    **dict.fromkeys(("log", "sessions", "last"), "recent"),
    **dict.fromkeys(("show", "read", "open", "get", "cat"), "fetch"),
    **dict.fromkeys(("remember", "add", "note", "save"), "retain"),
    **dict.fromkeys(("forget", "rm", "remove", "purge"), "delete"),
    **dict.fromkeys(("init", "start", "quickstart"), "setup"),
    **dict.fromkeys(("config", "env"), "settings"),
    **dict.fromkeys(("demo", "try"), "tour"),
    **dict.fromkeys(("check", "repair", "verify"), "doctor"),
    **dict.fromkeys(("continue", "reopen"), "resume"),
    **dict.fromkeys(("ls", "memories"), "list"),
    **dict.fromkeys(("why", "annotate"), "blame"),
    **dict.fromkeys(("error", "solve"), "fix"),
}
"""What others call our commands."""
OPENS = {
    *("search", "recent", "blame", "fix", "how", "restore", "resume", "runbook", "fetch"),
    *("inspect", "list", "status", "projects", "history"),
}
"""Commands that open the bank to answer, which takes a second."""
FIRST = {
    **dict.fromkeys(OPENS, "Opening the bank …"),
    "setup": "Looking for agents and their history …",
    "tour": "Laying out two past sessions …",
}
"""What a person reads until there is an answer, at once."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs: `serve` starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the table."""
        del ctx
        return [*COMMANDS]  # `list` is a module here, once that command was loaded

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds the command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = _loaded(f"mcp_memory.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the command, or say which was meant, before anything is imported for it."""
        name = next((each for each in args if not each.startswith("-")), "")
        if name and name not in COMMANDS:
            import difflib  # not for what is no mistake

            near = [MEANT[name]] if name in MEANT else []
            near += difflib.get_close_matches(name, COMMANDS, n=2)
            hint = f" Did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        if name in FIRST and not {"-h", "--help"} & set(args):
            waiting.begin(FIRST[name])
        return super().parse_args(ctx, args)

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
            raise ending.Failed(settings.plainly(error)) from error
        finally:
            waiting.end()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help page, without importing every command."""
        del ctx
        placed = {name for names in SECTIONS.values() for name in names}
        rest = tuple(name for name in COMMANDS if name not in placed)
        for title, names in {**SECTIONS, "More": rest}.items():
            with formatter.section(title):
                formatter.write_dl([(n, COMMANDS[n][1]) for n in names if n in COMMANDS])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the exit status says, and where to begin."""
        del ctx
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), told) for code, told in ending.MEANINGS.items()])
        with formatter.section("Begin with"):
            formatter.write_text("mcp-memory tour, then mcp-memory setup")


def _loaded(name: str) -> ModuleType:
    """The module; what is loaded with it stays, and is not looked through."""
    if name in sys.modules:
        return sys.modules[name]
    with collecting.put_off():
        return importlib.import_module(name)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="mcp-memory")
def cli() -> None:
    """Long-term memory for coding agents: past sessions as files and searchable evidence."""
