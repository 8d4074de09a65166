"""What a person chose for notifications of each kind."""
