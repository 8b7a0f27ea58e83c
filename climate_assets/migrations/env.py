"""Alembic's entry: runs migrations on the connection that `climate_assets.migrate` hands over."""

from alembic import context

from climate_assets.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
