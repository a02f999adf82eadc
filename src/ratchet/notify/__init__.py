"""Tells others outside what happened: sinks that follow the audit trail and never hold it up."""
