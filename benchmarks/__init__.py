"""What Palaver is measured by, and against what; see README.md here."""
