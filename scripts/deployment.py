"""Whether what lies in deploy/ has the form that Kubernetes and Compose ask for, by their own schemas.

python scripts/deployment.py    # needs the extra `deploy`; nothing is fetched
"""

import shutil
import subprocess
import sys
from pathlib import Path

DEPLOY = Path(__file__).parent.parent / "deploy"
CHECKS = (
    ("kubernetes-validate", "--strict", *sorted(map(str, DEPLOY.glob("kubernetes/*.yaml")))),
    ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")),
)


def main() -> int:
    """Run the checkers; 1 where one finds a fault, or is not there."""
    for program, *arguments in CHECKS:
        beside = Path(sys.executable).with_name(program)
        found = str(beside) if beside.exists() else shutil.which(program)
        if found is None:
            print(f"{program} is not installed: pip install 'mcp-memory-evidence[deploy]'")
            return 1
        if subprocess.run([found, *arguments], check=False).returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
