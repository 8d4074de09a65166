"""Delta sync: what became of a thread since a version that a client has."""
