# shellcheck shell=bash
# An image's identity: the content that it is made of. Sourced, never run.

# Tracked and new files under the given pathspecs, uncommitted changes included; ignored files are not.
input_files() {
  git -C "$REPOSITORY" ls-files -z --cached --others --exclude-standard -- "$@" \
    | (cd "$REPOSITORY" && while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done) \
    | sort -zu
}

# As a tar, since a file's execute bit counts too; whose clone it is and when it was made do not.
pack_inputs() {
  input_files "$@" | tar -C "$REPOSITORY" --null -T - --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=u,go-w -cf -
}

# image_hash: of the image last defined.
image_hash() {
  { pack_inputs "${INPUTS[@]}"; base_identity "$BASE"; base_identity "$NODE_BASE"; printf '%s\n' "$REFERENCE" "$TARGET" "$ENGINE"; } | sha256sum | cut -c1-16
}
