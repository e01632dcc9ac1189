{{/* Its informers. Whatever a caller asks for is decided by the caller's own rights, with the caller's own token. */}}
{{- define "codeforge.consoleRules" -}}
- apiGroups: [codeforge.dev]
  resources: [agenttasks, workerpools]
  verbs: [get, list, watch]
{{- end }}

{{- define "codeforge.consoleSubject" -}}
- kind: ServiceAccount
  name: {{ include "codeforge.console" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
