# Run before NATS starts: the server keeps an account's streams in a folder of the account's name, and the account had other
# names before. Charts before accounts had the global one, $G, those before keys CODEFORGE, and new keys make another id.
set -eu
data=${1:-/data}
identity=${2:-/etc/nats}

account=$(cat "$identity/streams-account")
cd "$data/jetstream" 2>/dev/null || exit 0
former=
for folder in '$G' CODEFORGE A*; do
  [ "$folder" != "$account" ] && [ -n "$(ls "$folder/streams" 2>/dev/null)" ] || continue
  if [ -n "$former" ]; then
    echo "streams are in both $data/jetstream/$former and $data/jetstream/$folder: remove one of them" >&2
    exit 1
  fi
  former=$folder
done
[ -n "$former" ] || exit 0
if [ -n "$(ls "$account/streams" 2>/dev/null)" ]; then
  echo "streams are in both $data/jetstream/$former and $data/jetstream/$account: remove one of them" >&2
  exit 1
fi
rm -rf "$account"
mv "$former" "$account"
