"""Alembic migrations, oldest first; `palaver migrate` runs them."""
