"""An agent for backend command that asks the model, once a line of its prompt, and keeps each answer in a file."""

from __future__ import annotations

import sys

PROGRAM = [
    sys.executable,
    "-c",
    r"""
import json, os, sys, time, urllib.error, urllib.request

def ask(number):
    body = json.dumps({"model": "coder", "messages": [{"role": "user", "content": str(number)}]}).encode()
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["OPENAI_API_BASE"] + "/chat/completions", body, headers)
    try:
        return 200, json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)

print(sorted(value for name, value in os.environ.items()), file=sys.stderr, flush=True)
for number, line in enumerate(sys.stdin):
    if line.startswith("sleep"):
        time.sleep(float(line.split()[1]))
    elif line.startswith("exit"):
        sys.exit(int(line.split()[1]))
    else:
        status, answer = ask(number)
        print(status, answer.get("error", {}).get("code", ""), flush=True)
        open(f"answer-{number}", "w").write(json.dumps(answer))
""",
]


def calls(number: int, *then: str) -> str:
    """A prompt of so many calls, and what follows: `sleep SECONDS` or `exit CODE`."""
    return "".join(f"{line}\n" for line in ("ask",) * number + then)
