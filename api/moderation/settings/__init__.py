"""Settings by which moderators guide the discussion of an article, or of all with a tag."""
