# shellcheck shell=bash disable=SC2034  # read by the scripts that source this file
# Where things are. Sourced, never run.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
CACHE=${CODEFORGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/codeforge}
ARCHIVES=$CACHE/images
VERSION=0.1.0

# shellcheck source=../../tools/lib/output.sh
. "$REPOSITORY/hack/tools/lib/output.sh"
# shellcheck source=../../tools/lib/packages.sh
. "$REPOSITORY/hack/tools/lib/packages.sh"
# shellcheck source=../../tools/lib/jdk.sh
. "$REPOSITORY/hack/tools/lib/jdk.sh"
