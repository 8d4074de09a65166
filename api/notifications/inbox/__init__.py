"""What a person was notified of, and may still see."""
