"""Short forms for the tests of values."""

import pytest

from isthmus.config.values import BadValueError


def fault(parse, *arguments, **options):
    """The error that a parser raises."""
    with pytest.raises(BadValueError) as caught:
        parse(*arguments, **options)
    return caught.value
