"""Web Push: notifications in browsers, also while no page is open (RFC 8030, 8291, 8292)."""
