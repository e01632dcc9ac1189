{{/* Nine tenths of the volume: a file system keeps some for itself, and a full one would stop the server. */}}
{{- define "codeforge.maxFileStore" -}}
{{ div (mul (include "codeforge.storageMebibytes" .) 9) 10 }}MiB
{{- end }}

{{- define "codeforge.storageMebibytes" -}}
{{ include "codeforge.mebibytes" .Values.nats.storage.size }}
{{- end }}

{{- define "codeforge.filesMebibytes" -}}
{{ include "codeforge.mebibytes" .Values.files.sizePerPool }}
{{- end }}

{{- define "codeforge.mebibytes" -}}
{{- $size := . -}}
{{- $number := int64 (regexFind "^[0-9]+" $size) -}}
{{ mul $number (get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (regexFind "[A-Z]i$" $size)) }}
{{- end }}

{{- define "codeforge.natsConfig" -}}
{{ .Files.Get "files/nats.conf" | replace "%MAX_FILE_STORE%" (include "codeforge.maxFileStore" .) }}
{{- end }}
