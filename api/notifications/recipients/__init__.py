"""Who is notified of what: decided once, in the transaction that makes it public."""
