import { isYamlMap } from '../yaml/parse-yaml.ts';
import type { YamlPath } from '../yaml/yaml-tree.ts';
import { readImageHint } from './find-images-in-text.ts';
import { addField, addText, type ImageSearch } from './image-search.ts';

export const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Adds the images of a pod. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec */
export function visitPod(search: ImageSearch, pod: Readonly<Record<string, unknown>>, path: YamlPath): void {
  for (const list of CONTAINER_LISTS) {
    for (const [index, container] of listEntries(pod[list])) visitContainer(search, container, [...path, list, index]);
  }
  for (const [index, volume] of listEntries(pod['volumes'])) {
    const image = isYamlMap(volume) ? volume['image'] : undefined;
    if (isYamlMap(image))
      addField(search, image['reference'], [...path, 'volumes', index, 'image', 'reference'], 'pod');
  }
}

function visitContainer(search: ImageSearch, container: unknown, path: YamlPath): void {
  if (!isYamlMap(container)) return;
  addField(search, container['image'], [...path, 'image'], 'pod');
  for (const [index, variable] of listEntries(container['env'])) {
    if (!isYamlMap(variable)) continue;
    const { name, value } = variable;
    const hint = readImageHint(typeof name === 'string' ? name : '');
    if (typeof value === 'string') addText(search, { text: value, hint }, [...path, 'env', index, 'value'], 'env');
  }
  for (const list of ['command', 'args'] as const) visitArguments(search, container[list], [...path, list]);
}

function visitArguments(search: ImageSearch, list: unknown, path: YamlPath): void {
  let flag = '';
  for (const [index, argument] of listEntries(list)) {
    if (typeof argument !== 'string') continue;
    // `--flag value` in two arguments, `--flag=value` in one.
    const [, name = '', value] = /^(--?[\w.-]+)(?:=([\s\S]*))?$/.exec(argument) ?? [];
    const hint = readImageHint(name === '' ? flag : name);
    if (value !== undefined) addText(search, { text: value, hint }, [...path, index], 'arg');
    else if (name === '') addText(search, { text: argument, hint }, [...path, index], 'arg');
    flag = value === undefined ? name : '';
  }
}

/** The items of a list with their places; empty for what is none. */
export function listEntries(value: unknown): readonly (readonly [number, unknown])[] {
  return Array.isArray(value) ? [...value.entries()] : [];
}
