"""What a person has read of each thread, the same on all of their devices."""
