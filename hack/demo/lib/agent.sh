# shellcheck shell=bash
# Which agent does the task. Sourced, never run.

# Sets PRICES, the name of the variable that says where the agent finds the models' prices.
choose_agent() {
  case $AGENT in
    aider) PRICES=AIDER_MODEL_METADATA_FILE ;;
    mini-swe-agent | opencode | openhands) PRICES=LITELLM_MODEL_REGISTRY_PATH ;;
    *) fail "AGENT is '$AGENT': use aider (the default), mini-swe-agent, opencode or openhands." ;;
  esac
}

# for_agent MANIFEST: prints it with the agent's name in it.
for_agent() { sed "s|%AGENT%|$AGENT|g; s|%PRICES%|$PRICES|g" "$HERE/manifests/$1.yaml"; }
