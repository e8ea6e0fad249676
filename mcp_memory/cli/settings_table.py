"""The table of settings for the documents, made from the settings themselves."""

from pydantic_core import PydanticUndefined

from mcp_memory.settings import Settings


def markdown() -> str:
    """One row a setting: variable, default, sentence."""
    rows = ["| variable | default | what it does |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = (
            "the platform's data folder" if field.default is PydanticUndefined else field.default
        )
        shown = {True: "true", False: "false", (): "(empty)", "": "(empty)", None: "(none)"}.get(
            default, default
        )
        rows.append(f"| `MCP_MEMORY_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)
