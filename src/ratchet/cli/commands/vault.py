"""`ratchet vault`: which faults are covered and what slipped back; drafts, their review, and files."""

from ratchet.cli.commands import vault_files, vault_report, vault_review
from ratchet.cli.commands.noun import noun

app = noun("Which faults are covered, and what slipped back; drafts and their review; files in and out.")
vault_report.add(app)
vault_review.add(app)
vault_files.add(app)
