"""A demo forum: people and threads to look at. The texts are in `people.toml` and `threads/`."""
