"""Text that people write: Markdown, cleaning, name folding."""
