from codeforge_worker import Context, Fatal, Result, backend


@backend("greeter")
def greet(context: Context) -> Result:
    name = context.task.prompt.strip()
    if not name.isalpha():
        raise Fatal(f"{name!r} is no name: let the prompt be one")
    (context.workspace / "greeting.txt").write_text(f"Hello, {name}!\n")
    return Result(summary=f"greeted {name}")
