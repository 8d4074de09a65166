"""What every domain stands on and that knows none of them."""
