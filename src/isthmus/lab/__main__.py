"""`python -m isthmus.lab demo`: the same as `isthmus lab demo`."""

import sys

from isthmus.lab.command import main

sys.exit(main(sys.argv[1:]))
