"""Atom feeds of what everybody can read. It owns no tables and emits no events."""
