"""What people follow, and what they muted: articles, people and tags."""
