"""HTTP: routing, problems, conditional requests, idempotency, pagination, limits on bodies."""
