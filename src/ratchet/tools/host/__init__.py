"""A host that we run on: what can be said of a stopped server there, and how it is started."""
