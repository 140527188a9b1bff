"""From a network file's text to `model.Network`: every error of a run, with its place.

    text ──composing──▶ nodes ──gathering (includes, templates)──▶ nodes ──rows──▶ model ──checks──▶ model

The rows (`*_rows`) are the one place where keys are written down: reader, JSON Schema and reference
are made of them. Nothing here touches the kernel; the files read are the document, its includes and
wireguard keys.
"""

from __future__ import annotations

from isthmus.network.document.reading import read
from isthmus.network.document.reference import json_schema, reference

__all__ = ["json_schema", "read", "reference"]
