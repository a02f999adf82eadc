"""The program `ratchet`: nouns and verbs over a desk, near or far."""

from ratchet.cli.program import main

__all__ = ["main"]
