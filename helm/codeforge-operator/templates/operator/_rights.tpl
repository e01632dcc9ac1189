{{/* What the operator does in a namespace that it serves: each verb is used. */}}
{{- define "codeforge.servedRules" -}}
# Read by informers; get: whether a task that the cache lacks is gone, and a pool whose finalizer met a conflict.
- apiGroups: [codeforge.dev]
  resources: [agenttasks, workerpools]
  verbs: [get, list, watch]
# The finalizer of a pool, set and taken off; a task has none.
- apiGroups: [codeforge.dev]
  resources: [workerpools]
  verbs: [patch]
# Tasks that are asked for over NATS; and finished ones that are kept no longer.
- apiGroups: [codeforge.dev]
  resources: [agenttasks]
  verbs: [create, delete]
- apiGroups: [codeforge.dev]
  resources: [agenttasks/status, workerpools/status]
  verbs: [patch]
# The workers of a pool, and how many there are. Server-side apply asks for create where there are none; get: how many there are,
# before the number is raised, since a cache may be behind.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [patch]
# Patched with the deletion cost of those that go first, and with what keeps busy ones from being evicted; the client reads what it
# patches. Deleted when their one task has ended (isolation.workerPerTask).
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
# The workers' NATS user, one Secret a pool, by server-side apply. A patch answers with what is there, so that it reads:
# RBAC knows no name that begins so, and the policy own-objects refuses it for Secrets that are not the operator's.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, patch, delete]
# What workers may connect to, one NetworkPolicy a pool; get: whether it is the operator's, before it is deleted.
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch, delete]
# Written about tasks and pools; list: what a kubelet says of a pod whose volume it cannot mount, which no status tells.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, list]
{{- end }}

{{- define "codeforge.operatorSubject" -}}
- kind: ServiceAccount
  name: {{ include "codeforge.operator" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The operator as the API server names it to a policy. */}}
{{- define "codeforge.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "codeforge.operator" . }}
{{- end }}
