# shellcheck shell=bash
# How the scripts under hack/ speak: progress and errors on stderr, results on stdout. Sourced, never run.

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
