"""`ratchet fault`: faults of the catalogue caused, graded and told, one after the other."""
