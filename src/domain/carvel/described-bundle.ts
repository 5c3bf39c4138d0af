import type { Digest } from '../oci/digest.ts';
import { type CarvelMap, formatCarvelYaml } from './format-carvel-yaml.ts';

/** An image of a bundle: one of its lock, what is attached to one, or the list of its places. */
export interface DescribedImage {
  readonly digest: Digest;
  /** Where it is. */
  readonly image: string;
  /** As the lock names it. */
  readonly origin: string;
  readonly imageType: 'Image' | 'Signature' | 'Attached' | 'Internal';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly layers?: readonly Digest[];
}

/** A bundle with all that it names. */
export interface DescribedBundle extends Omit<DescribedImage, 'imageType'> {
  readonly bundles: readonly DescribedBundle[];
  readonly images: readonly DescribedImage[];
}

/** The YAML that imgpkg prints. */
export function formatDescriptionYaml(bundle: DescribedBundle): string {
  const body = formatCarvelYaml(describeBundle(bundle));
  return `sha: ${bundle.digest}\n${body.slice(body.indexOf('\n') + 1)}`;
}

/** The text form, images in the order of their digests. */
export function formatDescriptionText(bundle: DescribedBundle): string {
  const lines = [`Bundle SHA: ${bundle.digest}`, '', 'Images:', ...formatContent(bundle, '  ')];
  return `${lines.join('\n')}\n`;
}

function describeBundle({ bundles, images, ...bundle }: DescribedBundle): CarvelMap {
  const content = {
    bundles: byDigest(bundles, describeBundle),
    images: byDigest(images, (image) => ({ ...describeImage(image), imageType: image.imageType })),
  };
  return { ...describeImage(bundle), content, metadata: {} };
}

function describeImage({ annotations, image, origin, layers }: Omit<DescribedImage, 'imageType'>): CarvelMap {
  return { annotations, image, origin, layers: layers?.map((digest) => ({ digest })) };
}

function byDigest<T extends { readonly digest: Digest }>(
  items: readonly T[],
  describe: (item: T) => CarvelMap,
): CarvelMap | undefined {
  if (items.length === 0) return undefined;
  return Object.fromEntries(items.map((item) => [item.digest, describe(item)]));
}

function formatContent({ bundles, images }: DescribedBundle, indent: string): string[] {
  const nested = bundles.flatMap((bundle) => [
    ...formatEntry(bundle, 'Bundle', indent),
    `${indent}  Images:`,
    ...formatContent(bundle, `${indent}  `),
  ]);
  return [...nested, ...images.flatMap((image) => formatEntry(image, image.imageType, indent))];
}

function formatEntry(
  { image, origin, layers, annotations }: Omit<DescribedImage, 'imageType'>,
  type: string,
  indent: string,
): string[] {
  const inner = `${indent}  `;
  return [
    `${indent}- Image: ${image}`,
    `${inner}Type: ${type}`,
    ...(type === 'Internal' ? [] : [`${inner}Origin: ${origin}`]),
    ...(layers === undefined ? [] : [`${inner}Layers:`, ...layers.map((digest) => `${inner}  - Digest: ${digest}`)]),
    ...(annotations === undefined
      ? []
      : [
          `${inner}Annotations:`,
          ...Object.entries(annotations)
            .sort(([left], [right]) => (left < right ? -1 : 1))
            .flatMap(([key, text]) => formatAnnotation(key, text, `${inner}  `)),
        ]),
  ];
}

function formatAnnotation(key: string, text: string, indent: string): string[] {
  const [first = '', ...others] = text.replace(/\n+$/, '').split('\n');
  if (others.length === 0) return [`${indent}${key}: ${first}`];
  return [`${indent}${key}:`, ...[first, ...others].map((line) => `${indent}  ${line}`)];
}
