"""The command `palaver`: one module per group of commands, which `main.py` puts together."""
