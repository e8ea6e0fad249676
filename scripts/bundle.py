"""Put a Claude Desktop bundle's folder together: manifest, sources, licence; `mcpb pack` makes the file.

python scripts/bundle.py FOLDER && mcpb pack FOLDER mcp-memory.mcpb
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md")


def assemble(folder: Path) -> None:
    """Copy what the bundle holds into a new folder; the sources travel with it, no index is asked."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "mcp_memory", folder / "mcp_memory", ignore=ignored)
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "manifests/claude-desktop/manifest.json", folder / "manifest.json")


if __name__ == "__main__":
    assemble(Path(sys.argv[1]))
