# shellcheck shell=bash
# Images come from archives, since there is no registry. Sourced, never run.

ctr_here() { ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }

# image_target NAME: the digest that containerd has for the name, empty when it has none.
image_target() { ctr_here images ls "name==$1" | awk 'NR == 2 {print $3}'; }

# archive_identity FILE: the archive's own index holds the digests of all it contains.
archive_identity() {
  { tar -xOf "$1" manifest.json 2>/dev/null || tar -xOf "$1" index.json 2>/dev/null; } | sha256sum | cut -d' ' -f1
}

# load_archive FILE: imports it unless containerd still has what an earlier import of the same content gave.
load_archive() {
  local file=$1 record name target output
  [ -f "$file" ] || fail "there is no file $file"
  tar -tf "$file" 2>/dev/null | grep -qE '^(\./)?(manifest|index)\.json$' || fail "$file is neither an OCI nor a Docker archive (it has no index.json and no manifest.json)"
  record=$IMAGES/$(archive_identity "$file")
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
