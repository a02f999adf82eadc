"""`ratchet vault`: which faults are covered and what slipped back; drafts, their review, and files."""

from ratchet.cli.commands import vault_files, vault_review
from ratchet.cli.commands.vault_report import app

__all__ = ["app"]

vault_review.add(app)
vault_files.add(app)
