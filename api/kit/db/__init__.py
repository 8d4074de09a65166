"""PostgreSQL: engine, sessions, unit of work, events, outbox, migrations."""
