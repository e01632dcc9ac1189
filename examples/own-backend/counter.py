"""A backend with a program of its own: counts the files of the workspace whose name the prompt tells, such as *.py.

codeforge-worker validate --module counter.py
"""

from codeforge_worker import Context, Result, backend


@backend("counter")
def count(context: Context) -> Result:
    found = context.run(["find", ".", "-type", "f", "-name", context.task.prompt.strip()]).output.splitlines()
    # Shown with the task, as what a program prints is.
    print(*found[:10], sep="\n")
    return Result(summary=f"{len(found)} files")
