"""The MCP server: six tools over one held bank; imports nothing heavy before the handshake."""
