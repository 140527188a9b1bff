"""What the runtime commands ask of lists of patterns, and what they are answered."""

from __future__ import annotations

from isthmus.engine import lists
from isthmus.model.expression import ListValues, MatchMethod


def requests() -> list[lists.ListRequest]:
    return [
        lists.GetLists(),
        lists.GetEntries(1),
        lists.GetEntries(1, 2**32 - 1),
        lists.LookUp(1, "\xff"),
        lists.AddEntries(1, None, (("a", "b c"), ("\x00", ""))),
        lists.SetValue(1, "k", None, "v"),
        lists.SetValue(1, "#0x5", 5, "v"),
        lists.DeleteEntries(1, "k", None),
        lists.ClearList(1, 3),
        lists.PrepareVersion(1),
        lists.CommitVersion(1, 4),
    ]


def answers() -> list[lists.ListAnswer]:
    return [
        lists.AllLists((lists.ListFacts(0, "a.map", "used by map", True, False, 1, 2, 3),)),
        lists.Entries(((1, "k", "v"),)),
        lists.Found(
            tuple(
                lists.Lookup(MatchMethod.STR, True, each, None if each == "text" else ("k", "v"))
                for each in ListValues
            )
        ),
        lists.Version(5),
        lists.Done(),
        *(lists.Refused(each, "no") for each in lists.ListRefusal),
    ]


def checks() -> list[lists.ListCheck]:
    return [lists.ListCheck(True, MatchMethod.IP, ListValues.TEXT, (("h", "::1"),))]
