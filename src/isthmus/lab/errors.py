"""What a lab tells its user when it cannot be built."""


class LabError(Exception):
    """A lab could not be built or did not stay up; the text says what to do about it."""


class NoLabError(LabError):
    """There is no lab to enter: whatever might be inside one is not there."""
