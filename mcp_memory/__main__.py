"""The command `mcp-memory`, also as `python -m mcp_memory`."""

import sys

from mcp_memory.cli import cli


def main() -> None:
    """Run the command line; errors of ours end it with one readable message."""
    # A console in a C locale would refuse the UTF-8 that the archive is written in.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    cli(prog_name="mcp-memory")


if __name__ == "__main__":
    main()
