"""Runs migrations on the connection that `ratchet.store.migrate` hands over, inside its transaction."""

from alembic import context

from ratchet.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
