{{- define "image" -}}
quay.io/team/app:{{ .Values.tag | default .Chart.AppVersion }}
{{- end -}}
{{- define "tool" -}}
{{ printf "%s:%s" "ghcr.io/team/tool" (.Values.tool.tag | toString) }}
{{- end -}}
