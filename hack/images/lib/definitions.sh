# shellcheck shell=bash disable=SC2034  # the variables set here are read by hash.sh and engine.sh
# One entry an image. Sourced, never run.

IMAGES=(operator worker-command worker-aider nats demo-git demo-llm)
NATS_VERSION=2.15.2

# define NAME sets
#   REFERENCE   the image's name and tag
#   CONTEXT     the build context, relative to the repository
#   DOCKERFILE  relative to the repository
#   TARGET      the Dockerfile's stage, empty for the last
#   BASE        what base.sh makes when there is no docker; empty when the image starts from scratch
#   INPUTS      what the image is made of, relative to the repository: a change in it makes a new image
define() {
  TARGET=''
  case $1 in
    operator)
      REFERENCE=codeforge/operator:$VERSION CONTEXT=. DOCKERFILE=Dockerfile BASE=java
      INPUTS=(pom.xml src/main Dockerfile .dockerignore)
      ;;
    worker-command | worker-aider)
      REFERENCE=codeforge/$1:$VERSION CONTEXT=worker DOCKERFILE=worker/Dockerfile BASE=python
      TARGET=${1#worker-}
      # Tests and notes change often and are not in the image.
      INPUTS=(worker ':!worker/tests' ':!worker/*.md')
      ;;
    nats)
      REFERENCE=codeforge/nats:$NATS_VERSION CONTEXT=hack/images/nats DOCKERFILE=hack/images/nats/Dockerfile BASE=''
      INPUTS=(hack/images/nats)
      ;;
    demo-git)
      REFERENCE=codeforge/demo-git:$VERSION CONTEXT=hack/demo/git DOCKERFILE=hack/demo/git/Dockerfile BASE=git
      INPUTS=(hack/demo/git)
      ;;
    demo-llm)
      REFERENCE=codeforge/demo-llm:$VERSION CONTEXT=hack/demo/llm DOCKERFILE=hack/demo/llm/Dockerfile BASE=python
      INPUTS=(hack/demo/llm)
      ;;
    *) fail "no image is called '$1'; there are: ${IMAGES[*]}" ;;
  esac
}

# Files that the build makes outside the tracked context, put into the staging folder $1.
stage_built_files() {
  case $2 in
    operator) package_operator "$1" ;;
    nats) build_nats_server "$1" ;;
  esac
}

# Maven runs on a copy, so that a build in the work tree at the same time is not disturbed.
package_operator() {
  say "  packaging the operator with Maven"
  local log=$ARCHIVES/operator-package.log
  (cd "$1" && mvn -B -q package -DskipTests) >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    fail "mvn package failed; its whole output is in $log"
  }
}

# Static, since the image holds nothing else.
build_nats_server() {
  command -v go >/dev/null || fail "go is not installed: it builds nats-server $NATS_VERSION"
  say "  building nats-server $NATS_VERSION"
  CGO_ENABLED=0 GOBIN="$1" go install -trimpath -ldflags '-s -w' "github.com/nats-io/nats-server/v2@v$NATS_VERSION" 2>/dev/null \
    || fail "go install of nats-server $NATS_VERSION failed; try it by hand: go install github.com/nats-io/nats-server/v2@v$NATS_VERSION"
}
