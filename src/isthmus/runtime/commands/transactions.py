"""What commands about files of TLS share: of each kind one is prepared, then put in force or forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from isthmus.certificates.shelf import ChangeError, Named, Shelf
from isthmus.runtime.instance import CommandError
from isthmus.runtime.registry import Request

File = TypeVar("File", bound=Named)


def prepare(shelf: Shelf[File], name: str, said: str, change: Callable[[], File]) -> str:
    """Prepare the file `name`, of which the client said `said`; return how HAProxy calls what was done.

    Raises CommandError where another file is prepared, or `change` says by ValueError why it cannot be done.
    """
    if shelf.transaction is not None and shelf.transaction.name != name:
        other = f"The ongoing transaction is about '{shelf.transaction.name}' but you are trying to set"
        raise CommandError(f"{other} '{name}'\nCan't update {said}!")
    try:
        changed = change()
    except ValueError as error:
        raise CommandError(f"{error}\nCan't update {said}!") from None
    word = "created" if shelf.transaction is None else "updated"
    shelf.transaction = changed
    return word


def commit(
    request: Request, shelf: Shelf[File], word: str, nameless: str, lacks: Callable[[File], str] | None = None
) -> str:
    """Put the file in force that was prepared: on all lines that use it, or none.

    `word` names the kind in commands, `nameless` is the complaint where no name is given, `lacks` says what a
    file still lacks.
    """
    name = request.argument(0)
    if not name:
        raise CommandError(nameless)
    prepared = shelf.transaction
    if prepared is None:
        raise CommandError(f"No ongoing transaction! !\nCan't commit {name}!")
    if prepared.name != name:
        why = f"The ongoing transaction is about '{prepared.name}' but you are trying to set '{name}'"
        raise CommandError(f"{why}\nCan't commit {name}!")
    if lacks is not None and (why := lacks(prepared)):
        raise CommandError(f"{why}\nCan't commit {name}!")
    try:
        used = shelf.put(prepared)
    except ChangeError as error:
        raise CommandError(f"{error}.\nCan't commit {name}!") from None
    shelf.transaction = None
    request.instance.running.told(f"'commit ssl {word}' : '{name}' replaced.")
    return f"Committing {name}{'.' * used}\nSuccess!\n"


def abort(request: Request, shelf: Shelf[File], word: str) -> str:
    """Forget the file that was prepared."""
    name = request.argument(0)
    if not name:
        raise CommandError(f"'abort ssl {word}' expects a filename")
    if shelf.transaction is None:
        raise CommandError("No ongoing transaction!")
    if shelf.transaction.name != name:
        raise CommandError(
            f"The ongoing transaction is about '{shelf.transaction.name}' but you are trying to abort a "
            f"transaction for '{name}'"
        )
    shelf.transaction = None
    return f"Transaction aborted for certificate '{name}'!\n"
