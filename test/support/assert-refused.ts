import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DtError, type ErrorCode } from '../../src/domain/errors.ts';
import { unwrapCharts } from '../../src/workflows/unwrap-charts.ts';
import { createTestContext, withFolder } from './hostile-wraps.ts';
import { startEmbeddedRegistry } from './registries.ts';
import { runCli } from './run-cli.ts';

export interface RefusalOptions {
  /** Also run the built program. Default true. */
  readonly throughProgram?: boolean;
  /** Blobs may have been pushed before the damage showed; never a manifest. Default false: nothing is pushed at all. */
  readonly allowBlobs?: boolean;
}

/** Runs `unwrap` on these bytes against an empty registry and wants one of the codes, nothing pushed, nothing left behind. */
export async function assertWrapRefused(
  wrap: Uint8Array,
  codes: readonly ErrorCode[],
  options: RefusalOptions = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const file = join(folder, 'in', 'hostile.wrap.tgz');
    await mkdir(join(folder, 'in'));
    await writeFile(file, wrap);
    const target = await startEmbeddedRegistry();
    try {
      const error = await catchError(unwrapBytes(file, target.host));
      assert.ok(
        error instanceof DtError,
        `not refused on purpose: ${String(error)} ${error instanceof Error ? String(error.stack) : ''}`,
      );
      assert.ok(codes.includes(error.code), `${error.code} (${error.message}) is none of ${codes.join(', ')}`);
      assertNothingPushed(target.requests, options);
      if (options.throughProgram !== false) {
        const cwd = join(folder, 'in');
        const result = await runCli(['unwrap', file, `${target.host}/mirror`, '--yes', '--plain'], {
          cwd,
          env: { HOME: folder, TMPDIR: folder },
        });
        assert.equal(result.code, error.exitCode, result.stderr);
        assert.match(result.stderr, new RegExp(`Code: (?:${codes.join('|')})\\n`));
        assertPrintable(result.stdout + result.stderr);
        assertNothingPushed(target.requests, options);
      }
      assert.deepEqual(await readdir(folder), ['in']);
      assert.deepEqual(await readdir(join(folder, 'in')), ['hostile.wrap.tgz']);
    } finally {
      await target.close();
    }
  });
}

export async function unwrapBytes(file: string, host: string): Promise<unknown> {
  return unwrapCharts(
    { file, prefix: `${host}/mirror`, valuesFiles: ['values.yaml'], skipImages: false, assumeYes: true },
    await createTestContext(),
  );
}

export function assertNothingPushed(requests: readonly string[], { allowBlobs = false }: RefusalOptions = {}): void {
  const writes = requests.filter((line) => /^(?:POST|PUT|PATCH|DELETE) /.test(line));
  const bad = allowBlobs ? writes.filter((line) => /^PUT [^ ]*\/manifests\//.test(line)) : writes;
  assert.deepEqual(bad, [], 'something was pushed');
}

/** No control character but line feed and tab. */
export function assertPrintable(text: string): void {
  assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
}

/** What a promise is rejected with. */
export async function catchError(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('it was accepted');
}
