{{- define "image" -}}{{ with . }}{{ .registry }}/{{ .name }}{{ if .tag }}:{{ .tag }}{{ end }}{{ end }}{{- end -}}
