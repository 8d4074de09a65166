"""The command `palaver`: one module per group of commands."""
