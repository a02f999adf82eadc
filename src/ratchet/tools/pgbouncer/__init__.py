"""A PgBouncer as its console shows it; nothing here changes anything there."""
