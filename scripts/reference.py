"""Writes docs/reference/ from the code, so that those pages cannot say what the program does not."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
sys.path.insert(0, str(ROOT))

from scripts.pages import api, cli, events, faults, probes, rooms, tools  # noqa: E402 - run as a program, the root is not on the path

PAGES = {
    "api.md": api.page,
    "cli.md": cli.page,
    "events.md": events.page,
    "faults.md": faults.page,
    "probes.md": probes.page,
    "rooms.md": rooms.page,
    "tools.md": tools.page,
}


def main() -> int:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
