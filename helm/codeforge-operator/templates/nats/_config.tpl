{{/* Nine tenths of the volume: a file system keeps some for itself, and a full one would stop the server. */}}
{{- define "codeforge.maxFileStore" -}}
{{- $size := .Values.nats.storage.size -}}
{{- $number := int64 (regexFind "^[0-9]+" $size) -}}
{{- $mebibytes := mul $number (get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (regexFind "[A-Z]i$" $size)) -}}
{{ div (mul $mebibytes 9) 10 }}MiB
{{- end }}

{{- define "codeforge.natsConfig" -}}
{{ .Files.Get "files/nats.conf" | replace "%MAX_FILE_STORE%" (include "codeforge.maxFileStore" .) }}
{{- end }}
