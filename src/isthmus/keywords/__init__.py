"""The dictionary of the configuration language: what each keyword means, a module per part of it.

`load` turns a tree into a `Configuration`; `dump` prints the dictionary in the form of HAProxy's `-dKall`.
"""

from isthmus.keywords.dump import dump
from isthmus.keywords.loading import SECTIONS, load
from isthmus.keywords.system import System
from isthmus.keywords.world import World

__all__ = ["SECTIONS", "System", "World", "dump", "load"]
