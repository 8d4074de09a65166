"""Palaver, the service: one folder a domain, all of the same shape, on top of `api.kit`."""
