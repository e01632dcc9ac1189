# shellcheck shell=bash
# Debian packages. Sourced, never run.

# need_packages NAME…: installs with apt what is missing, after saying so. Needs root only then. Of two at once the second waits.
need_packages() {
  local missing package
  missing_packages "$@"
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null \
    || fail "these programs are missing, by their Debian package names: ${missing[*]}. This machine has no apt: install them by its own means."
  [ "$(id -u)" = 0 ] || fail "these packages are missing: ${missing[*]}. Run: sudo apt-get install ${missing[*]}"
  (
    flock 7
    missing_packages "$@"
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
  ) 7>/run/lock/codeforge-apt || exit 1
}

# missing_packages NAME…: sets missing.
missing_packages() {
  missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
}

install_packages() {
  say "installing the packages $* with apt"
  apt_install "$@" && return
  # The index may be old or absent on a fresh machine.
  apt-get update -qq >&2 || fail "apt-get update failed; see the lines above"
  apt_install "$@" || fail "apt could not install $*; see: apt-get install $*"
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 7>&-
}
