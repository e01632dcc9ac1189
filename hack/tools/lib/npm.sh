# shellcheck shell=bash
# What npm installs by a lock file, once for each content of it. Sourced, never run; needs output.sh, packages.sh and CACHE.

# npm_packages NAME FOLDER: prints the folder with the node_modules that FOLDER's package-lock.json names. No package runs
# anything of its own.
npm_packages() {
  local folder
  folder=$CACHE/npm/$1-$(cat "$2/package.json" "$2/package-lock.json" | sha256sum | cut -c1-16)
  if ! [ -e "$folder/complete" ]; then
    command -v npm >/dev/null || need_packages npm
    mkdir -p "$CACHE/npm"
    (
      flock 9
      [ ! -e "$folder/complete" ] || exit 0
      say "installing $2/package-lock.json into $folder"
      rm -rf "$folder"
      mkdir "$folder"
      cp "$2/package.json" "$2/package-lock.json" "$folder"
      npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
      touch "$folder/complete"
    ) 9>"$CACHE/npm/$1.lock" >&2
  fi
  echo "$folder"
}
