"""Ratchet turns an alert into a proved recovery, and what worked into a playbook that does not slip back."""

__version__ = "0.1.0"
