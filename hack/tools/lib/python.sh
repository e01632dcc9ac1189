# shellcheck shell=bash
# Python environments made of locks. Sourced, never run; needs REPOSITORY, CACHE,
# output.sh, packages.sh, once.sh and locks.sh.

PYTHON=${PYTHON:-python3}
# A Python is one of the machine's or of Debian's, and so are the certificates that are believed.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1

# environment LOCK: prints the folder of the virtual environment with the packages of this lock and no others.
environment() {
  local folder python=$PYTHON
  define_lock "$1"
  [ "$PYTHON_MINOR" = 3.11 ] || python=$(newer_python)
  folder=$CACHE/venvs/$1-$({ "$python" --version; cat "$LOCK" "$REPOSITORY/worker/requirements-build.lock"; } | content_key)
  made_once "$folder" make_environment "$1" "$python"
  echo "$folder"
}

# Nothing is resolved, so that what is published later changes nothing.
make_environment() {
  define_lock "$1"
  say "installing $LOCK into $3"
  "$2" -m venv --without-pip "$3" || fail "$2 cannot make a virtual environment in $3: is there room, and is it a whole Python?"
  uv pip sync --quiet --python "$3/bin/python" --require-hashes --build-constraints "$REPOSITORY/worker/requirements-build.lock" \
    --compile-bytecode "$LOCK" \
    || fail "the packages of $LOCK could not be installed; the lines above say which. Is the package index reached?"
  lock_complete "$1" "$3"
}

# lock_complete LOCK FOLDER: all that the lock's source asks for is in the environment, with extras.
lock_complete() {
  define_lock "$1"
  uv pip install --quiet --python "$2/bin/python" --dry-run --offline --no-index "${SOURCE[@]/#$REPOSITORY/-r$REPOSITORY}" \
    || fail "$LOCK does not hold all that ${SOURCE[0]} asks for: make it anew with make locks"
}

# uv ARGUMENT…: the pinned uv.
uv() {
  local folder
  folder=$CACHE/venvs/uv-$(content_key <"$REPOSITORY/worker/requirements-uv.lock")
  made_once "$folder" make_uv || return
  # It leaves locks in its temporary folder.
  mkdir -p "$CACHE/tmp"
  TMPDIR=$CACHE/tmp "$folder/bin/uv" "$@"
}

make_uv() {
  # Debian's Python comes without what makes environments with pip.
  "$PYTHON" -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
  "$PYTHON" -m venv "$1" || fail "$PYTHON cannot make a virtual environment in $1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    -r "$REPOSITORY/worker/requirements-uv.lock" || fail "uv could not be installed; the lines above say why. Is the package index reached?"
}

# newer_python: prints a Python of at least version 3.12, which Debian 12 has not: one of the machine's or of pyenv's, else
# that of Debian 13, unpacked into the cache and run with the libraries that it was made for.
newer_python() {
  local name folder=$CACHE/tools/python-debian13
  for name in "$PYTHON" python3.13 python3.12 "$(pyenv root 2>/dev/null)"/versions/3.1[23].*/bin/python3; do
    if "$name" -c 'import venv, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  made_once "$folder" unpack_python
  echo "$folder/usr/bin/python"
}

unpack_python() {
  local loader
  need_packages mmdebstrap
  say "unpacking Debian 13's Python into $1"
  mmdebstrap --quiet --variant=extract --include=python3,python3-venv trixie "$1" \
    || fail "Debian 13's packages cannot be fetched: install Python 3.12 or newer, or run hack/test/worker --without-agents"
  loader=$(echo "$1"/usr/lib/*-linux-gnu*/ld-linux-*.so.*)
  cat >"$1/usr/bin/python" <<SCRIPT
#!/bin/sh
exec $loader --library-path ${loader%/*} --argv0 "\$0" $1/usr/bin/python3 "\$@"
SCRIPT
  chmod +x "$1/usr/bin/python"
}
