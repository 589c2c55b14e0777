"""`python -m handbook` (./run docs): writes the pages that are made from the code."""

from __future__ import annotations

import sys

from handbook.made import ROOT, made


def main() -> None:
    """Write each page whose text is another one now, and name it."""
    for name, text in made().items():
        path = ROOT / name
        if not path.exists() or path.read_bytes() != text.encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
