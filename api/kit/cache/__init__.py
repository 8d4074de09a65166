"""The versioned cache, and the edge in front of the framework."""
