# shellcheck shell=bash
# What to type next. Sourced, never run.

print_next() {
  cat <<TEXT

Look again
  export KUBECONFIG=${KUBECONFIG:-\$HOME/.kube/config}
  kubectl --namespace $DEMO get agenttasks,workerpools
  kubectl --namespace $DEMO get agenttask $1 -o yaml
  kubectl --namespace $DEMO describe workerpool $AGENT
  kubectl --namespace $DEMO exec deployment/git -- git -C /srv/git/demo/greeter.git show codeforge/$1
  kubectl --namespace $DEMO logs deployment/llm
  kubectl --namespace $SYSTEM logs deployment/codeforge-operator
  helm --namespace $SYSTEM test codeforge

Follow the task as it runs, or what is kept of it: what changes, its events, its lines (docs/live.md; a page: examples/live)
  kubectl --namespace $SYSTEM port-forward service/codeforge-console 8082:http >/dev/null &
  curl -N -H "Authorization: Bearer \$(kubectl --namespace $DEMO create token viewer)" -H 'Accept: text/event-stream' \\
    'http://127.0.0.1:8082/events?namespace=$DEMO&task=$1&topics=tasks,events,log&afterEvent=0&afterLine=0'

Run the task again, watching its phases and its worker's log
  sed 's/%TASK%/again-1/; s/%AGENT%/$AGENT/' hack/demo/manifests/task.yaml | kubectl --namespace $DEMO apply -f -
  kubectl --namespace $DEMO get agenttask again-1 --watch
  kubectl --namespace $DEMO logs --follow --selector codeforge.dev/pool=$AGENT

With a real model
  OPENAI_API_KEY=sk-… [OPENAI_API_BASE=https://…] [OPENAI_MODEL=gpt-4.1-mini] make demo$([ "$AGENT" = aider ] || echo " AGENT=$AGENT")$([ "$CLUSTER" = local ] || echo ' CLUSTER=current')

With a repository of yours: a Secret with a user and a token that may push, an entry in the pool, and a task for it
  kubectl --namespace $DEMO create secret generic my-git --from-literal=username=… --from-literal=password=…
  kubectl --namespace $DEMO patch workerpool $AGENT --type=json -p \\
    '[{"op":"add","path":"/spec/git/credentials/-","value":{"url":"https://git.example.com/","secretRef":{"name":"my-git"}}}]'
  sed -e 's/%TASK%/mine-1/; s/%AGENT%/$AGENT/' -e 's|http://git.codeforge-demo.svc/demo/greeter.git|https://git.example.com/team/project.git|' \\
    hack/demo/manifests/task.yaml >mine.yaml
  \$EDITOR mine.yaml        # the prompt; it needs a real model
  kubectl --namespace $DEMO apply -f mine.yaml

Programs used here are in $CACHE/bin. Undo: $(clean_command)
TEXT
}
