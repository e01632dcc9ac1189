# shellcheck shell=bash
# Docker where it runs, else buildah. Sourced, never run.

if docker info >/dev/null 2>&1; then ENGINE=docker; else ENGINE=buildah; fi

# Its storage lies in the cache: deleting the cache leaves nothing behind.
buildah_here() {
  STORAGE_DRIVER=overlay BUILDAH_ISOLATION=chroot buildah --root "$CACHE/buildah/storage" --runroot "$CACHE/buildah/run" "$@"
}

# A machine that reaches its package registries through a CA or an index of its own: builds need both. pip.conf names the
# index for pip, uv.toml for uv.
machine_mounts() {
  local file
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/uv/uv.toml; do
    [ -f "$file" ] && printf '%s\n' -v "$file:$file:ro"
  done
  return 0
}

# build_archive STAGE ARCHIVE: builds the image last defined from the staging folder, as a docker archive
# (what `docker save` writes), whose names every importer completes alike.
build_archive() {
  local arguments=(--file "$1/$DOCKERFILE")
  [ -n "$TARGET" ] && arguments+=(--target "$TARGET")
  case $ENGINE in
    docker)
      [ -z "$PULLED" ] || arguments+=(--build-arg "BASE_IMAGE=$PULLED")
      docker build --quiet "${arguments[@]}" --tag "$REFERENCE" "$1/$CONTEXT" >&2 || return
      docker save --output "$2" "$REFERENCE"
      ;;
    buildah)
      local mounts base
      mapfile -t mounts < <(machine_mounts)
      if [ -n "$BASE" ]; then
        base=$(base_image "$BASE") || return
        arguments+=(--build-arg "BASE_IMAGE=$base")
      fi
      if [ -n "$NODE_BASE" ]; then
        base=$(base_image "$NODE_BASE") || return
        arguments+=(--build-arg "NODE_IMAGE=$base")
      fi
      # By its id: a name given here would stand in the archive beside the reference.
      buildah_here bud "${mounts[@]}" "${arguments[@]}" --iidfile "$1/id" "$1/$CONTEXT" >&2 || return
      buildah_here push --quiet "$(cat "$1/id")" "docker-archive:$2:$REFERENCE" >&2 || return
      # The archive is the one copy; its base stays for the next build.
      buildah_here rmi --force "$(cat "$1/id")" >/dev/null
      ;;
  esac
}
