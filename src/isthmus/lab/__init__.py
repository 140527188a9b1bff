"""Rootless labs: the demo, and the lasting lab in which `isthmus net` builds without root.

`main` is what `isthmus lab` runs; nothing is imported before it runs, since the holder of a lab is a
process that stays and should hold little. Nothing here is imported by the proxy itself.
"""


def main(argv: list[str]) -> int:
    """Run `isthmus lab ARGV` and return its exit status."""
    from isthmus.lab.command import main as run

    return run(argv)
