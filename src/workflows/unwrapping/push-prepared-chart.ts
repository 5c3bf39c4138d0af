import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { requireRegularOutput } from '../../archive/output-path.ts';
import { DtError } from '../../domain/errors.ts';
import { OVERLAY_HEADER } from '../../domain/relocation/values-overlay.ts';
import type { RelocationProof } from '../../domain/proof/relocation-proof.ts';
import { formatReference, formatRepository } from '../../domain/oci/reference.ts';
import type { RelocationChange } from '../../domain/relocation/relocation-change.ts';
import type { ReplacedIndexes } from '../../domain/relocation/replaced-indexes.ts';
import { quoteShellWord } from '../../domain/shell-word.ts';
import { wrapFolder } from '../../domain/wrap/wrap-document.ts';
import { isStreamedInput } from '../../domain/standard-stream.ts';
import { writeFileAtomically } from '../../files/atomic-write.ts';
import { requireWritablePlace } from '../../files/output-place.ts';
import type { CheckedChart } from './check-target.ts';
import type { RunContext } from '../context.ts';
import type { OpenedWrap } from '../opening/opened-wrap.ts';
import type { FinishedChart, PreparedChart } from './prepare-chart.ts';
import { pushAttached } from './push-attached.ts';
import { pushChart, pushValuesReferrer } from './push-chart.ts';
import { openRepository } from '../registry-stores.ts';

/** The values file that goes with a chart that stays untouched: `NAME-VERSION.values.relocated.yaml`. */
const OVERLAY_EXTENSION = '.values.relocated.yaml';

/** A chart of a wrap in the target. */
export interface UnwrappedChart {
  readonly name: string;
  readonly version: string;
  readonly mode: PreparedChart['mode'];
  readonly changes: readonly RelocationChange[];
  /** What renderings say of the relocation; absent for a chart that is kept. */
  readonly proof?: RelocationProof;
  readonly reference: string;
  /** Present if pushed. */
  readonly digest?: string;
  /** The values file that was written beside the wrap; present in the mode `overlay`. */
  readonly valuesFile?: string;
  readonly installCommand?: string;
}

export interface ChartPushOptions {
  readonly replaced: ReplacedIndexes;
  readonly source: OpenedWrap['store'];
  /** The wrap, beside which a values file is written. */
  readonly file: string;
  readonly noOverwrite: boolean | undefined;
}

/**
 * Pushes a chart for the indexes that its images have in the target, then what is attached to it, and writes and pushes its values
 * file. A chart that is there already is not sent again.
 */
export async function pushPreparedChart(
  { prepared, tag }: CheckedChart,
  { replaced, source, file, noOverwrite }: ChartPushOptions,
  context: RunContext,
): Promise<UnwrappedChart> {
  const { reporter, signal } = context;
  const { target } = prepared;
  const finished = replaced.size === 0 ? prepared.finished : await prepared.finish(replaced);
  const { digest } = finished.packed.manifest.descriptor;
  const isPresent = 'result' in tag.check && tag.check.result.state === 'same' && tag.check.result.digest === digest;
  const reference = formatReference(target);
  const store = openRepository(context, target, 'push');
  await reporter.step(
    'Pushing the chart',
    async () => (isPresent ? undefined : pushChart(finished.packed, store, signal)),
    () => `Helm chart ${isPresent ? 'is' : 'pushed to'} ${reference}`,
  );
  const [failure] = await pushAttached(
    [{ image: reference, source, target, attached: prepared.attached }],
    { noOverwrite },
    context,
  );
  if (failure !== undefined) throw failure.error;
  const valuesFile = await writeOverlay(prepared, finished, file, context);
  return {
    ...describeChart(prepared, finished),
    digest,
    ...(valuesFile === undefined ? {} : { valuesFile }),
    installCommand: await installCommand(prepared, valuesFile, context),
  };
}

/**
 * Throws DT_OUTPUT_FAILED, before anything is pushed, if the values file of a chart cannot be written beside the wrap, or would
 * replace a file that is none of ours.
 */
export async function requireValuesPlace({ chart, finished }: PreparedChart, wrapFile: string): Promise<void> {
  if (finished.overlay === undefined) return;
  const path = valuesPath(chart, wrapFile);
  await requireRegularOutput(path);
  await requireWritablePlace(path);
  if (!existsSync(path) || (await startsWith(path, OVERLAY_HEADER))) return;
  throw new DtError('DT_OUTPUT_FAILED', `${path} exists and is no values file of dt: move it away`);
}

/** Beside the wrap; in the working directory for one that comes from a device, or as a stream. */
function valuesPath({ metadata }: PreparedChart['chart'], wrapFile: string): string {
  const isFile = !isStreamedInput(wrapFile) && !/^\/(?:dev|proc)\//.test(resolve(wrapFile));
  const folder = isFile ? dirname(wrapFile) : '.';
  return join(folder, wrapFolder(metadata) + OVERLAY_EXTENSION);
}

async function startsWith(path: string, text: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(text.length), 0, text.length, 0);
    return buffer.toString('utf8', 0, bytesRead) === text;
  } finally {
    await handle.close();
  }
}

/** Writes the values file of an untouched chart beside the wrap, and pushes it as a referrer of the chart. */
async function writeOverlay(
  { chart, target }: PreparedChart,
  { overlay, packed }: FinishedChart,
  wrapFile: string,
  context: RunContext,
): Promise<string | undefined> {
  if (overlay === undefined) return undefined;
  const path = valuesPath(chart, wrapFile);
  return context.reporter.step(
    'Writing the values file',
    async () => {
      await writeFileAtomically(path, overlay);
      const store = openRepository(context, target, 'push');
      await pushValuesReferrer(overlay, { manifest: packed.manifest, fileName: basename(path) }, store, context.signal);
      return path;
    },
    () => `Values file written to ${path} and pushed as a referrer of the chart`,
  );
}

async function installCommand(
  { target, chart: { metadata } }: PreparedChart,
  valuesFile: string | undefined,
  { clients, signal }: RunContext,
): Promise<string> {
  const isPlainHttp = await clients.forRegistry(target.registry).usesPlainHttp(signal);
  return [
    `helm install oci://${formatRepository(target)} --version ${metadata.version} --generate-name`,
    ...(valuesFile === undefined ? [] : [`-f ${quoteShellWord(valuesFile)}`]),
    ...(isPlainHttp ? ['--plain-http'] : []),
  ].join(' ');
}

/** What is told of a chart before it is pushed. */
export function describeChart(
  { chart, mode, target, proof }: PreparedChart,
  { changes }: FinishedChart,
): UnwrappedChart {
  const { name, version } = chart.metadata;
  return {
    name,
    version,
    mode,
    changes,
    ...(proof === undefined ? {} : { proof }),
    reference: formatReference(target),
  };
}
