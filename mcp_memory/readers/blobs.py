"""Blobs: pictures and other binary content, named by type, size and hash in their place."""

import binascii
import hashlib
import re

_DATA_URI = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/]{200,}={0,2})"
)


def placeholder(media_type: str, encoded: str) -> str:
    """`[image/png, 1024 bytes, sha256 …]` for base64 text; the hash is of the decoded bytes."""
    try:
        raw = binascii.a2b_base64(encoded)
    except (binascii.Error, ValueError):
        raw = encoded.encode("utf-8", "replace")
    digest = hashlib.sha256(raw).hexdigest()
    return f"[{media_type or 'binary'}, {len(raw)} bytes, sha256 {digest}]"


def without_blobs(text: str) -> str:
    """The text with its long `data:` addresses replaced by placeholders."""
    if ";base64," not in text:
        return text
    return _DATA_URI.sub(lambda found: placeholder(found[1] or "", found[2]), text)
