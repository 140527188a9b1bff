"""Rootless labs: namespaces, origins and proxies made for trying things, and gone when they end.

`main` is what `isthmus lab` runs. Nothing here is imported by the proxy itself.
"""

from isthmus.lab.command import main

__all__ = ["main"]
