"""What services tell their user when they cannot be started or stopped."""

from __future__ import annotations

from collections.abc import Sequence


class ServiceError(Exception):
    """A step of a service failed; everything was put back as it was before, unless `what` says otherwise.

    `service` is the name (empty where it is about all of them), `log` the last lines of what the
    service or its hook printed, `hint` what to do. The text holds all of it.
    """

    def __init__(self, what: str, *, service: str = "", log: Sequence[str] = (), hint: str = "") -> None:
        self.what = what
        self.service = service
        self.log = tuple(log)
        self.hint = hint
        parts = [what, *(f"  | {line}" for line in self.log)]
        super().__init__("\n".join([*parts, f"hint: {hint}"] if hint else parts))
