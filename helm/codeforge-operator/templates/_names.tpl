{{/*
Named after the release, so that names tell where they come from. One release a namespace: the operator's Lease and the
Secrets of its keys have fixed names, which two releases would share.
*/}}
{{- define "codeforge.operator" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-operator
{{- end }}

{{- define "codeforge.console" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-console
{{- end }}

{{- define "codeforge.nats" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-nats
{{- end }}

{{- define "codeforge.natsUrl" -}}
{{ ternary (printf "nats://%s.%s.svc:4222" (include "codeforge.nats" .) .Release.Namespace) .Values.nats.url .Values.nats.enabled }}
{{- end }}

{{- define "codeforge.operatorImage" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Called with a dict: root, name (what it is), component. */}}
{{- define "codeforge.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Of a pod: nothing that changes with each release of the chart, or each would restart NATS. */}}
{{- define "codeforge.podLabels" -}}
{{ include "codeforge.selector" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: codeforge
{{- end }}

{{- define "codeforge.labels" -}}
{{ include "codeforge.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}
