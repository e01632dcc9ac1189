# shellcheck shell=bash disable=SC2034  # read by the scripts that source this file
# Where things are, and how this folder's scripts speak. Sourced, never run.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
CACHE=${CODEFORGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/codeforge}
ARCHIVES=$CACHE/images
VERSION=0.1.0

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Installs Debian packages that are missing; says so first.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || fail "these packages are missing: ${missing[*]}. Install them (apt-get install ${missing[*]}) or run this as root."
  say "installing the packages ${missing[*]}"
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
