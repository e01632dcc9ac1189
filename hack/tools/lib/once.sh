# shellcheck shell=bash
# What is made once and kept in the cache. Sourced, never run; needs output.sh.

# content_key: names what comes on stdin, for the folder that is made of it.
content_key() { sha256sum | cut -c1-16; }

# made_once FOLDER COMMAND…: runs COMMAND… FOLDER unless an earlier run made the folder. Of two at once the second waits.
# COMMAND ends by `fail` when it cannot make the folder, which is removed then.
made_once() {
  local folder=$1
  shift
  [ ! -e "$folder/complete" ] || return 0
  mkdir -p "$(dirname "$folder")"
  (
    flock 9
    [ ! -e "$folder/complete" ] || exit 0
    rm -rf "$folder"
    mkdir "$folder"
    ("$@" "$folder" 9>&-) || {
      rm -rf "$folder"
      exit 1
    }
    touch "$folder/complete"
  ) 9>"${folder%-*}.lock" >&2
}
