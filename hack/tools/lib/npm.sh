# shellcheck shell=bash
# What npm installs by a lock file, once for each content of it. Sourced, never run; needs CACHE, output.sh, packages.sh and
# once.sh.

# npm_packages NAME FOLDER: prints the folder with the node_modules that FOLDER's package-lock.json names. No package runs
# anything of its own.
npm_packages() {
  local folder
  folder=$CACHE/npm/$1-$(cat "$2/package.json" "$2/package-lock.json" | content_key)
  made_once "$folder" install_npm_packages "$2"
  echo "$folder"
}

install_npm_packages() {
  command -v npm >/dev/null || need_packages npm
  say "installing $1/package-lock.json into $2"
  cp "$1/package.json" "$1/package-lock.json" "$2"
  npm ci --prefix "$2" --ignore-scripts --no-audit --no-fund --loglevel=error \
    || fail "the packages of $1/package-lock.json could not be installed; the lines above say which. Is the npm registry reached?"
}
