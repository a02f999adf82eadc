"""Who may do what, and how secrets and the record of events are kept safe."""
