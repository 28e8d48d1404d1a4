"""Measure exported files on the emulated boards and write docs/boards.json and docs/boards.md (--help tells more)."""

import sys

from mnist_edge_emulators.environment import require_product

if __name__ == "__main__":
    require_product("board_page.py")
    from mnist_edge_emulators.raspberry_pi.measure import main

    sys.exit(main())
