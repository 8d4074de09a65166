"""What is new in a thread for a person who has read it up to a version."""
