"""The event table, its checkpoints and projections, on SQLite through SQLAlchemy Core."""
