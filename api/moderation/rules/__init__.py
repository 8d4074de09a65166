"""Rules and settings of screening, for moderators of the whole forum."""
