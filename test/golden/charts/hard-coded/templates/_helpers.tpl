{{- define "tools" -}}registry.k8s.io/tools/kubectl:v1{{- end -}}
