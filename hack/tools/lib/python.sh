# shellcheck shell=bash
# A Python of at least version 3.12, which Debian 12 has not. Sourced, never run; needs output.sh, packages.sh and CACHE.

# newer_python: prints a program. The machine's own or one of pyenv's, else that of Debian 13, unpacked into the cache and
# run with the libraries that it was made for.
newer_python() {
  local name folder=$CACHE/tools/python-debian13
  for name in "${PYTHON:-python3}" python3.13 python3.12 "$(pyenv root 2>/dev/null)"/versions/3.1[23].*/bin/python3; do
    if "$name" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  mkdir -p "$CACHE/tools"
  (
    flock 9
    [ -e "$folder/complete" ] || unpack_python "$folder"
  ) 9>"$folder.lock" >&2
  echo "$folder/usr/bin/python"
}

unpack_python() {
  need_packages mmdebstrap
  say "unpacking Debian 13's Python into $1"
  rm -rf "$1"
  mmdebstrap --quiet --variant=extract --include=python3,python3-pip-whl,python3-venv trixie "$1" \
    || fail "Debian 13's packages cannot be fetched: install Python 3.12 or newer, or run hack/test/worker --without-agents"
  local loader
  loader=$(echo "$1"/usr/lib/*-linux-gnu*/ld-linux-*.so.*)
  cat >"$1/usr/bin/python" <<SCRIPT
#!/bin/sh
exec $loader --library-path ${loader%/*} --argv0 "\$0" $1/usr/bin/python3 "\$@"
SCRIPT
  chmod +x "$1/usr/bin/python"
  # Where it finds the pip for new environments: the machine's own would be too old.
  sed -i "s|'WHEEL_PKG_DIR': '|&$1|" "$1"/usr/lib/python3.*/_sysconfigdata*.py
  touch "$1/complete"
}
