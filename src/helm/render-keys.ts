import { createHash } from 'node:crypto';
import type { RenderInput } from './render-input.ts';

/** Tells inputs of renderings apart by their content. Bytes that come again, as most files of a chart do, are read once. */
export class RenderKeys {
  readonly #digests = new WeakMap<Uint8Array, string>();

  keyOf({ tree, valuesFiles, set, kubeVersion, apiVersions, attempt }: RenderInput): string {
    const hash = createHash('sha256');
    const files = tree.filter(({ type }) => type === 'file').map(({ path, bytes }) => [path, this.#digestOf(bytes)]);
    const values = valuesFiles.map(({ bytes }) => this.#digestOf(bytes));
    return hash.update(JSON.stringify([files, values, set, kubeVersion, apiVersions, attempt])).digest('hex');
  }

  #digestOf(bytes: Uint8Array): string {
    const known = this.#digests.get(bytes);
    if (known !== undefined) return known;
    const digest = createHash('sha256').update(bytes).digest('hex');
    this.#digests.set(bytes, digest);
    return digest;
  }
}
