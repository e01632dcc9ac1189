# shellcheck shell=bash
# Everything that the cluster's commands share. Sourced, never run.

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in "$lib"/../../tools/lib/{output,packages}.sh \
  "$lib"/{settings,steps,lock,processes,host,config,certificates,kernel,network,cgroups,containers,images,parts}.sh; do
  # shellcheck disable=SC1090
  . "$part"
done
