"""Prints the reference of network files: `python -m isthmus.network.document > docs/network-file.md`."""

from isthmus.network.document.reference import reference

if __name__ == "__main__":
    print(reference(), end="")
