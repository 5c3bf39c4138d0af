import { RegistryStore } from '../content/registry-store.ts';
import type { Reference } from '../domain/oci/reference.ts';
import type { RunContext } from './context.ts';

/** The repository that a reference names, as a store. */
export function openRepository(
  context: RunContext,
  reference: Pick<Reference, 'registry' | 'repository'>,
): RegistryStore {
  return new RegistryStore(context.clients.forRegistry(reference.registry), reference.repository);
}
