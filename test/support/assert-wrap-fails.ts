import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DtError, type ErrorCode } from '../../src/domain/errors.ts';
import { wrapCharts } from '../../src/workflows/wrap-charts.ts';
import { assertPrintable, catchError } from './assert-refused.ts';
import { chartFiles, createTestContext, withFolder, writeFiles } from './hostile-wraps.ts';
import { runCli } from './run-cli.ts';
import { startScriptedServer, type RecordedRequest, type ScriptedHandler } from './scripted-server.ts';

export interface WrapFailure {
  readonly error: DtError;
  readonly requests: readonly RecordedRequest[];
  /** Of the program, where it was run. */
  readonly output: string;
}

/**
 * Wraps a chart whose image lies in a registry that answers with the handler, wants one of the codes, and that the folder of
 * the output is empty afterwards.
 */
export async function assertWrapFails(
  handle: ScriptedHandler,
  codes: readonly ErrorCode[],
  options: { readonly throughProgram?: boolean; readonly image?: string } = {},
): Promise<WrapFailure> {
  const server = await startScriptedServer(handle);
  try {
    return await withFolder(async (folder) => {
      await writeFiles(join(folder, 'demo'), chartFiles([`${server.host}/library/${options.image ?? 'app:1.0'}`]));
      const work = join(folder, 'work');
      await writeFiles(work, { 'out/.keep': '' });
      const outputFile = join(work, 'out', 'demo.wrap.tgz');
      const wrapOptions = { platforms: [], allowEmpty: false, skipImages: false, isCompatible: false };
      const error = await catchError(
        wrapCharts(
          { sources: [{ location: join(folder, 'demo') }], outputFile, ...wrapOptions },
          await createTestContext(),
        ),
      );
      assert.ok(
        error instanceof DtError,
        `not refused on purpose: ${error instanceof Error ? String(error.stack) : String(error)}`,
      );
      assert.ok(codes.includes(error.code), `${error.code} (${error.message}) is none of ${codes.join(', ')}`);
      let output = '';
      if (options.throughProgram !== false) {
        const result = await runCli(['wrap', join(folder, 'demo'), '--output-file', outputFile, '--plain'], {
          cwd: work,
          env: { HOME: folder, TMPDIR: folder },
          timeoutMs: 30_000,
        });
        assert.equal(result.code, error.exitCode, result.stderr);
        output = result.stdout + result.stderr;
        assertPrintable(output);
      }
      assert.deepEqual(await readdir(work), ['out']);
      assert.deepEqual(await readdir(join(work, 'out')), ['.keep']);
      return { error, requests: server.requests, output };
    });
  } finally {
    await server.close();
  }
}
