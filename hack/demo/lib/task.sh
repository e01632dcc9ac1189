# shellcheck shell=bash
# The task: given to the pool, watched to its end, its outcome shown. Sourced, never run.

task_field() { kubectl --namespace "$DEMO" get agenttask "$1" -o "jsonpath={$2}"; }

run_task() {
  step "The pool has no worker; a task makes it start one"
  for_agent pool | kubectl --namespace "$DEMO" apply -f - | indent
  kubectl --namespace "$DEMO" wait --for=condition=Ready "workerpool/$AGENT" --timeout=60s >/dev/null || {
    kubectl --namespace "$DEMO" get workerpool "$AGENT" -o yaml | indent >&2
    fail "the pool did not become ready within a minute; its conditions above say why."
  }
  kubectl --namespace "$DEMO" get workerpools | indent
  for_agent task | sed "s|%TASK%|$1|" >"$WORK/task.yaml"
  start_watching "$1"
  kubectl --namespace "$DEMO" apply -f "$WORK/task.yaml" | indent
  kubectl --namespace "$DEMO" wait --for=condition=Finished "agenttask/$1" --timeout=10m >/dev/null || {
    stop_watching
    kubectl --namespace "$DEMO" get agenttask "$1" -o yaml | indent >&2
    explain_pods "$DEMO"
    fail "the task did not finish within 10 minutes; its status is above."
  }
}

# Its workers are watched until the last is gone.
wait_for_zero() {
  step "Nothing to do: the pool goes back to zero"
  kubectl --namespace "$DEMO" wait --for=jsonpath='{.spec.replicas}'=0 "deployment/$AGENT-workers" --timeout=3m >/dev/null \
    || fail "the pool still has workers after 3 minutes: kubectl --namespace $DEMO describe workerpool $AGENT"
  kubectl --namespace "$DEMO" wait --for=delete pod --selector "codeforge.dev/pool=$AGENT" --timeout=2m >/dev/null \
    || fail "a worker of the pool did not stop: kubectl --namespace $DEMO get pods"
  kubectl --namespace "$DEMO" wait --for=jsonpath='{.status.replicas}'=0 "workerpool/$AGENT" --timeout=1m >/dev/null \
    || fail "the pool's status still counts workers: kubectl --namespace $DEMO get workerpool $AGENT -o yaml"
  stop_watching
}

show_outcome() {
  local commit
  step "The outcome"
  commit=$(task_field "$1" .status.result.git.commit)
  if [ "$(task_field "$1" .status.phase)" != Succeeded ] || [ -z "$commit" ]; then
    kubectl --namespace "$DEMO" get agenttask "$1" -o yaml | indent >&2
    fail "the task ended without a commit; its status is above."
  fi
  [ "$(task_field "$1" .status.result.git.pushed)" = true ] || fail "the commit $commit was not pushed."
  printf '\nThe commit, as the git server has it: git show %s\n\n' "$commit"
  in_git_server show --stat --patch "$commit" | indent
  [ "$(in_git_server rev-parse "codeforge/$1")" = "$commit" ] || fail "the branch codeforge/$1 is not at $commit."
  printf '\nTokens: %s in, %s out, USD %s\n\n' \
    "$(task_field "$1" .status.usage.tokensIn)" "$(task_field "$1" .status.usage.tokensOut)" "$(task_field "$1" .status.usage.costUSD)"
  printf 'kubectl get agenttasks,workerpools\n'
  kubectl --namespace "$DEMO" get agenttasks,workerpools | indent
}

in_git_server() {
  kubectl --namespace "$DEMO" exec deployment/git -- git -C /srv/git/demo/greeter.git "$@"
}

check_scaling() {
  grep -q '^1 ' "$WORK/workers" || fail "the pool was never seen with one worker."
  [ "$(tail -n 1 "$WORK/workers" | cut -d' ' -f1)" = 0 ] || fail "the pool was last seen with workers: $(tail -n 1 "$WORK/workers")"
}
