"""What keeps an agent to its own run: walls of the kernel around it, and a supervisor that no descendant outlives.

`supervisor` is a program of its own, and so are the modules that it imports: `kernel`, `landlock`, `seccomp`,
`processes` and `order`. They start in a few milliseconds because they import little. The others are the worker's.
"""
