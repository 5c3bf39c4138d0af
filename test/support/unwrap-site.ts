import type { TestContext } from 'node:test';
import { annotationOf, createDiscoverySite, podOf, type DiscoverySite } from './discovery-site.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from './registries.ts';
import { listTags } from './registry-content.ts';
import { requireTool, type ToolName } from './tools.ts';

export const IMAGES = ['app', 'fixed', 'hidden'] as const;
export const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
export const VALUES =
  'image:\n  repository: HOST/team/app   # ours\n  tag: "1"\nhelper: {registry: HOST, name: team/hidden, version: "1"}\n';
/** One image by values, one that stands in the template, one that only an argument names. */
export const POD = `${podOf('p', '{{ .Values.image.repository }}:{{ .Values.image.tag }}')}    - name: fixed
      image: HOST/team/fixed:1
      args: ["--helper-image={{ .Values.helper.registry }}/{{ .Values.helper.name }}:{{ .Values.helper.version }}"]
`;

export interface UnwrapSite extends DiscoverySite {
  readonly target: EmbeddedRegistry;
  readonly helm: string;
}

/** A wrap `w.tgz` of the chart. */
export async function openUnwrapSite(
  t: TestContext,
  tool: ToolName = 'helm3',
  wrapFlags: readonly string[] = ['--include-likely'],
  more = '',
): Promise<UnwrapSite | undefined> {
  const helm = requireTool(t, tool);
  const site = await createDiscoverySite(t, IMAGES, tool);
  if (site === undefined || helm === undefined) return undefined;
  const target = await startEmbeddedRegistry();
  t.after(async () => target.close());
  const files = { 'Chart.yaml': CHART + annotationOf('app') + more, 'values.yaml': VALUES, 'templates/p.yaml': POD };
  await site.writeChart('shop', files);
  await site.runOk(['wrap', 'shop', '--output-file', 'w.tgz', ...wrapFlags]);
  return { ...site, target, helm };
}

export async function unwrap(site: UnwrapSite, flags: readonly string[] = [], helm?: string): Promise<string> {
  const options = helm === undefined ? {} : { env: { HELM_BIN: helm } };
  return site.runOk(['unwrap', 'w.tgz', `${site.target.host}/m`, '--yes', '--plain', ...flags], options);
}

/** Every image of the pushed chart as Helm renders it. */
export async function renderPushed(
  { sandbox, target, helm }: UnwrapSite,
  flags: readonly string[] = [],
): Promise<string[]> {
  const chart = `oci://${target.host}/m/shop`;
  const args = ['template', 'release', chart, '--version', '1.0.0', '--plain-http', ...flags];
  const output = await sandbox.runOk(args, { command: helm });
  return [...output.matchAll(/image[:=]\s*"?([^"\s]+)/g)].map(([, image = '']) => image).toSorted();
}

/** What the target holds of the images, as a cluster would name them. */
export async function listTargets({ target }: UnwrapSite): Promise<string[]> {
  return [...(await listTags(target.host)).keys()]
    .filter((name) => /^m\/team\/[a-z]+:1$/.test(name))
    .map((name) => `${target.host}/${name}`)
    .toSorted();
}
