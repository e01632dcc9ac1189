"""What keeps an agent to its own run: walls of the kernel around it, and a supervisor that no descendant outlives.

`nursery` and `launcher` are programs of their own; they, and the modules that they import (`supervisor`, `confined`,
`kernel`, `landlock`, `seccomp`, `processes` and `order`), import little, so that they start soon. The others are the
worker's.
"""
