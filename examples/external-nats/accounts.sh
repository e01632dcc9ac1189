#!/usr/bin/env bash
# Makes the accounts that CodeForge needs in a NATS server in operator mode, for nats.users=AccountSigningKey, and writes what the
# connection Secret is to have. Run by the server's owner in an environment of nsc with an operator; then `nsc push --all`.
#
#   examples/external-nats/accounts.sh FOLDER [NAMESPACE…]
#
# FOLDER gets operator.creds, console.creds (for the console) and, without a NAMESPACE, workers.jwt and workers.nk of one account
# for the workers of all namespaces; else account-NAMESPACE.jwt and account-NAMESPACE.nk for each of them. Then:
#   kubectl --namespace codeforge-system create secret generic nats-keys --from-file FOLDER
# Needs nsc and jq. What may be reached is read from reach.json, as the operator does.
set -euo pipefail

reach=$(dirname "$0")/../../src/main/resources/dev/codeforge/identity/reach.json
folder=${1:?"name a folder for the files of the Secret"}
shift

# The account with the streams, and CodeForge's operator as its user.
streams() {
  nsc add account CODEFORGE
  nsc edit account CODEFORGE --js-disk-storage -1 --js-mem-storage -1 --js-streams -1 --js-consumer -1
  jq -r '.streams.exports[] | [.type, .subject, .response_type // "Singleton"] | @tsv' "$reach" \
    | while IFS=$'\t' read -r type subject answers; do
      if [ "$type" = service ]; then
        nsc add export --account CODEFORGE --name "$subject" --subject "$subject" --service --response-type "$answers"
      else
        nsc add export --account CODEFORGE --name "$subject" --subject "$subject"
      fi
    done
  nsc add user --account CODEFORGE --name codeforge-operator
  nsc generate creds --account CODEFORGE --name codeforge-operator >"$folder/operator.creds"
}

# importing ACCOUNT: what is read, lines of a type and a subject with a tab between them.
importing() {
  local account=$1 type subject
  while IFS=$'\t' read -r type subject; do
    if [ "$type" = service ]; then
      nsc add import --account "$account" --src-account CODEFORGE --name "$subject" --remote-subject "$subject" \
        --local-subject "$subject" --service
    else
      nsc add import --account "$account" --src-account CODEFORGE --name "$subject" --remote-subject "$subject"
    fi
  done
}

# The account of the console, without JetStream, and its user.
viewers() {
  local publish subscribe
  nsc add account VIEWERS
  jq -r '.viewers.imports[] | [.type, .subject] | @tsv' "$reach" | importing VIEWERS
  publish=$(jq -r '.viewers.publish | join(",")' "$reach")
  subscribe=$(jq -r '.viewers.subscribe | join(",")' "$reach")
  nsc add user --account VIEWERS --name console --allow-pub "$publish" --allow-sub "$subscribe"
  nsc generate creds --account VIEWERS --name console >"$folder/console.creds"
}

# account_of_workers ACCOUNT KEY NAMESPACE: without JetStream; its signing key makes workers of NAMESPACE's pools (`*` for all) and
# nothing else.
account_of_workers() {
  local account=$1 key=$2 namespace=$3 list seed
  local allow=()
  nsc add account "$account"
  # A token that names a pool is a wildcard, as no token can be one in part.
  jq -r --arg namespace "$namespace" '(.namespace.imports + .pool.imports)[]
      | [.type, ([.subject | split(".")[]
          | if . == "{namespace}" then $namespace elif test("[{]") then "*" else . end] | join("."))] | @tsv' "$reach" \
    | importing "$account"
  for list in pub sub; do
    while read -r subject; do
      allow+=("--allow-$list" "$subject")
    done < <(jq -r --arg list "$list" '.pool[if $list == "pub" then "publish" else "subscribe" end][]
        | gsub("[{]namespace[}]"; "{{tag(ns)}}") | gsub("[{]pool[}]"; "{{tag(pool)}}")' "$reach")
  done
  seed=$(mktemp)
  nsc generate nkey --account 2>/dev/null >"$seed"
  head -n 1 "$seed" >"$folder/$key.nk"
  nsc edit signing-key --account "$account" --sk "$(sed -n 2p "$seed")" --role pool-worker "${allow[@]}" \
    --allow-pub-response=1 --response-ttl 1m
  rm "$seed"
  nsc describe account "$account" --raw >"$folder/$key.jwt"
}

umask 077
mkdir -p "$folder"
streams
viewers
if [ $# = 0 ]; then
  account_of_workers WORKERS workers '*'
fi
for namespace in "$@"; do
  account_of_workers "NAMESPACE-$namespace" "account-$namespace" "$namespace"
done
