{{/* What every pod of this chart has: it passes Pod Security's "restricted". */}}
{{- define "codeforge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "codeforge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "codeforge.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "codeforge.placement" -}}
{{- include "codeforge.pullSecrets" . }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* How operator and console log: the format for the life of a pod, the levels from a file that is read again. */}}
{{- define "codeforge.loggingEnvironment" -}}
- name: CODEFORGE_LOG_FORMAT
  value: {{ .Values.logging.format }}
- name: LOG4J_CONFIGURATION_FILE
  value: classpath:log4j2.xml,/etc/codeforge/logging/levels.properties
{{- end }}

{{- define "codeforge.loggingMount" -}}
- name: logging
  mountPath: /etc/codeforge/logging
  readOnly: true
{{- end }}

{{- define "codeforge.loggingVolume" -}}
- name: logging
  configMap:
    name: {{ include "codeforge.operator" . }}-logging
{{- end }}
