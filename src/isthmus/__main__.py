"""`python -m isthmus`: the same as the command `isthmus`."""

from isthmus.cli import main

raise SystemExit(main())
