"""PostgreSQL and Valkey from Python wheels. It knows nothing of the forum."""
