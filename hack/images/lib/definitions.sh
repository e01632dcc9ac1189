# shellcheck shell=bash disable=SC2034  # the variables set here are read by hash.sh and engine.sh
# One entry an image. Sourced, never run.

IMAGES=(operator worker-command worker-aider nats demo-git demo-llm)
# Built only when they are named.
MORE_IMAGES=(worker-mini-swe-agent worker-openhands worker-opencode)
# The server that the tests use too.
NATS_VERSION=$(sed -n 's/^NATS_SERVER_VERSION=v//p' "$REPOSITORY/hack/tools/lib/build.sh")

# define NAME sets
#   REFERENCE   the image's name and tag
#   CONTEXT     the build context, relative to the repository
#   DOCKERFILE  relative to the repository
#   TARGET      the Dockerfile's stage, empty for the last
#   BASE        what base.sh makes when there is no docker; empty when the image starts from scratch
#   NODE_BASE   the same for the stage that installs npm packages, empty when there is none
#   PULLED      what docker pulls in its place, where it is not what the Dockerfile says
#   INPUTS      what the image is made of, relative to the repository: a change in it makes a new image
define() {
  TARGET='' PULLED='' NODE_BASE=''
  case $1 in
    operator)
      REFERENCE=codeforge/operator:$VERSION CONTEXT=. DOCKERFILE=Dockerfile BASE=java
      INPUTS=(pom.xml src/main Dockerfile .dockerignore)
      ;;
    worker-command | worker-aider | worker-mini-swe-agent | worker-openhands | worker-opencode)
      REFERENCE=codeforge/$1:$VERSION CONTEXT=worker DOCKERFILE=worker/Dockerfile BASE=python
      TARGET=${1#worker-}
      # It wants a newer Python than aider does.
      [ "$TARGET" != openhands ] || BASE=python13 PULLED=python:3.13-slim-trixie
      [ "$TARGET" != opencode ] || NODE_BASE=node
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
      REFERENCE=codeforge/demo-llm:$VERSION CONTEXT=. DOCKERFILE=hack/demo/llm/Dockerfile BASE=python
      INPUTS=(hack/demo/llm worker/requirements-uv.lock)
      ;;
    *) fail "no image is called '$1'; there are: ${IMAGES[*]} ${MORE_IMAGES[*]}" ;;
  esac
}

# Files that the build makes outside the tracked context, put into the staging folder $1.
stage_built_files() {
  case $2 in
    operator) package_operator "$1" ;;
    nats) copy_nats_server "$1" ;;
  esac
}

# Maven runs on a copy, so that a build in the work tree at the same time is not disturbed.
package_operator() {
  say "  packaging the operator with Maven"
  local log=$ARCHIVES/operator-package.log
  # To Java a file of the first second of 1970, as all of them are here, is one that does not exist: it is left out of the jar.
  find "$1/src" -type f -exec touch -d @1000000000 {} +
  (cd "$1" && mvn -B -q package -DskipTests) >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    fail "mvn package failed; its whole output is in $log"
  }
}

copy_nats_server() {
  local bin
  bin=$("$REPOSITORY/hack/tools/install" nats-server)
  cp "$bin/nats-server" "$1/nats-server"
}
