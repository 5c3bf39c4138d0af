import { formatYamlPath } from '../yaml/yaml-tree.ts';
import type { BrokenManifest } from './parse-manifests.ts';
import type { UnreadableImage } from './rendered-image.ts';

/** Documents of a rendering that could not be read, and image fields that hold no reference, in words. */
export function describeProblems({
  broken,
  unreadable,
}: {
  readonly broken: readonly BrokenManifest[];
  readonly unreadable: readonly UnreadableImage[];
}): readonly string[] {
  return [
    ...broken.map(({ template, reason }) => `${template}: ${reason}`),
    ...unreadable.map(
      ({ text, place: { template, kind, name, path } }) =>
        `${template}: ${kind}/${name} ${formatYamlPath(path)} holds "${text}", which is no image reference`,
    ),
  ];
}
