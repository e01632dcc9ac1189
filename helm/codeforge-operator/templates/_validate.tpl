{{/* What a schema cannot say in a sentence that helps. */}}
{{- define "codeforge.validate" -}}
{{- with .Values.nats }}
{{- if and .enabled (or .url .existingSecret) }}
{{- fail "nats.url and nats.existingSecret name a NATS server that is there already: set nats.enabled=false with them, or leave both empty" }}
{{- end }}
{{- if and (not .enabled) (not (and .url .existingSecret)) }}
{{- fail "nats.enabled=false needs nats.url (such as nats://nats.messaging.svc:4222) and nats.existingSecret (a Secret with keys username, password, worker-username and worker-password, or others by nats.users)" }}
{{- end }}
{{- end }}
{{- if and .Values.nats.enabled (ne .Values.nats.users "Given") }}
{{- fail "nats.users is for nats.enabled=false: the chart's own NATS trusts the operator's keys" }}
{{- end }}
{{- if and (ne .Values.nats.users "Given") .Values.nats.sharedUser }}
{{- fail (printf "nats.sharedUser is for nats.users=Given: with %s each pool has a user of its own" .Values.nats.users) }}
{{- end }}
{{- if and .Values.nats.enabled .Values.nats.sharedUser }}
{{- fail "nats.sharedUser is for nats.enabled=false: in the chart's own NATS each pool has a user of its own" }}
{{- end }}
{{- if and .Values.nats.enabled (lt (int (include "codeforge.storageMebibytes" .)) 2048) }}
{{- fail "nats.storage.size must be 2Gi or more: the stream of log lines alone reserves 1 GiB, and NATS refuses streams for which there is no room" }}
{{- end }}
{{- if and .Values.nats.enabled (gt (mul 2 (int (include "codeforge.filesMebibytes" .))) (sub (int (include "codeforge.storageMebibytes" .)) 1024)) }}
{{- fail "files.sizePerPool must be at most half of what nats.storage.size leaves beside 1 GiB of log lines: NATS reserves it for each pool" }}
{{- end }}
{{- if and .Values.telemetry.headersSecret (not .Values.telemetry.otlpEndpoint) }}
{{- fail "telemetry.headersSecret needs telemetry.otlpEndpoint: set where traces go, or leave both empty" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection) }}
{{- fail "replicas above 1 need leaderElection=true: two operators at once would start tasks twice" }}
{{- end }}
{{- end }}
