"""Redis or Valkey: the client and the rate limiter."""
