# shellcheck shell=bash
# Images come from archives, since there is no registry. Sourced, never run.

ctr_here() { ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }

# image_target NAME: the digest that containerd has for the name, empty when it has none.
image_target() { ctr_here images ls "name==$1" | awk 'NR == 2 {print $3}'; }

# archive_index FILE: the archive's own list of the digests of all it contains, by Docker's name or by OCI's.
archive_index() {
  local name
  for name in manifest.json ./manifest.json index.json ./index.json; do
    tar -xOf "$1" "$name" 2>/dev/null && return
  done
  return 1
}

# load_archive FILE: imports it unless containerd still has what an earlier import of the same content gave.
load_archive() {
  local file=$1 index record name target output
  [ -f "$file" ] || fail "there is no file $file"
  index=$(archive_index "$file") || fail "$file is neither a Docker nor an OCI archive: it has no manifest.json and no index.json"
  record=$IMAGES/$(sha256sum <<<"$index" | cut -d' ' -f1)
  if [ -f "$record" ] && still_loaded "$record"; then
    step "already loaded: $(cut -d' ' -f1 "$record" | tr '\n' ' ')"
    return
  fi
  output=$(ctr_here images import "$file" 2>&1) || fail "containerd cannot import $file: $output"
  : >"$record.new"
  while read -r name; do
    name=$(with_registry "$name")
    target=$(image_target "$name")
    echo "$name $target" >>"$record.new"
    step "loaded $name"
  done < <(sed -n 's/^unpacking \([^ ]*\) .*/\1/p' <<<"$output")
  [ -s "$record.new" ] || fail "$file holds no image with a name; give it one when it is written (buildah push IMAGE docker-archive:FILE:NAME)"
  mv "$record.new" "$record"
}

still_loaded() {
  local name target
  while read -r name target; do
    [ -n "$target" ] && [ "$(image_target "$name")" = "$target" ] || return 1
  done <"$1"
}

# with_registry NAME: an OCI archive may name an image as people do; the kubelet asks for the whole name.
with_registry() {
  local first=${1%%/*} whole=$1
  if [ "$first" = "$1" ]; then
    whole=docker.io/library/$1
  elif [[ $first != *[.:]* && $first != localhost ]]; then
    whole=docker.io/$1
  fi
  [ "$whole" = "$1" ] || ctr_here images tag --force "$1" "$whole" >/dev/null
  echo "$whole"
}

# load_program NAME FOLDER: an image of one static Go program, built when containerd does not have it.
load_program() {
  local name=$1 folder=$2 work program layer config
  [ -z "$(image_target "$name")" ] || return 0
  program=${folder##*/}
  work=$(mktemp -d "$IMAGES/.$program.XXXXXX")
  (cd "$folder" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$work/$program" .)
  tar -C "$work" --owner=0 --group=0 --mtime=@0 -cf "$work/layer.tar" "$program"
  rm "$work/$program"
  layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/%s"],"User":"65532:65532"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(go env GOARCH)" "$program" "$layer" >"$work/config.json"
  config=$(sha256sum "$work/config.json" | cut -d' ' -f1)
  mv "$work/config.json" "$work/$config.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$name" >"$work/manifest.json"
  tar -C "$work" -cf "$work/image.tar" manifest.json "$config.json" layer.tar
  load_archive "$work/image.tar"
  rm -rf "$work"
}
