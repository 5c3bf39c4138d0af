import { RegistryStore } from '../content/registry-store.ts';
import type { Reference } from '../domain/oci/reference.ts';
import type { RunContext } from './context.ts';

/** The repository that a reference names, as a store to pull from, or to push to. */
export function openRepository(
  context: RunContext,
  reference: Pick<Reference, 'registry' | 'repository'>,
  action: 'pull' | 'push' = 'pull',
): RegistryStore {
  return new RegistryStore(context.clients.forRegistry(reference.registry), reference.repository, action);
}
