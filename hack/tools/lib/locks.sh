# shellcheck shell=bash disable=SC2034  # what define_lock sets is read by python.sh and hack/tools/lock
# The locks of Python packages: one entry a lock. Sourced, never run; needs REPOSITORY.

LOCKS=(worker worker-dev build uv aider mini-swe-agent openhands demo-llm)

# define_lock NAME sets
#   LOCK         the lock file: every package of an environment, each with its version and hashes
#   SOURCE       what it is resolved from, as arguments of `uv pip compile` and `uv pip install`
#   PYTHON_MINOR the version of Python that it is resolved for
define_lock() {
  local worker=$REPOSITORY/worker
  PYTHON_MINOR=3.11
  LOCK=$worker/requirements-$1.lock
  SOURCE=("$worker/requirements-$1.in")
  case $1 in
    worker) LOCK=$worker/requirements.lock SOURCE=("$worker/pyproject.toml" --extra otel) ;;
    worker-dev) LOCK=$worker/requirements-dev.lock SOURCE=("$worker/pyproject.toml" --extra otel --extra dev) ;;
    openhands) PYTHON_MINOR=3.12 ;;
    demo-llm) LOCK=$REPOSITORY/hack/demo/llm/requirements.lock SOURCE=("$REPOSITORY/hack/demo/llm/requirements.in") ;;
    build | uv | aider | mini-swe-agent) ;;
    *) fail "no lock is called '$1'; there are: ${LOCKS[*]}" ;;
  esac
}
