"""The hands: read probes and write tools on the systems under care."""
