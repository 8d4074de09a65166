"""What is measured inside a process of its own: each takes JSON on standard input and gives JSON.

A probe uses the service's functions, or the bare driver, without HTTP in between.
"""
