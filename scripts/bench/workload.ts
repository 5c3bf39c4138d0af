import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pushImage } from '../../test/support/images.ts';
import { startDistribution3, type TestRegistry } from '../../test/support/registries.ts';
import { runCommand } from '../lib/run-command.ts';
import { FlakyNetwork } from './flaky-network.ts';
import type { Command } from './measure.ts';

const IMAGES = ['app1', 'app2', 'app3'] as const;
const LAYERS_PER_PLATFORM = 3;
const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

export interface WorkloadOptions {
  readonly megabytes: number;
  /** Path of the `dt` launcher. */
  readonly dt: string;
  /** Path of crane. */
  readonly crane: string;
}

/**
 * Two registries in processes of their own, each also behind a proxy that can be told to fail; images in one of them, and
 * charts that name the images. Must be closed.
 */
export class Workload {
  /** Bytes of all configs and layers, each once. */
  readonly uniqueBytes: number;
  readonly folder: string;
  readonly #options: WorkloadOptions;
  readonly #source: TestRegistry;
  readonly #target: TestRegistry;
  readonly #networks: { readonly source: FlakyNetwork; readonly target: FlakyNetwork };

  private constructor(
    folder: string,
    source: TestRegistry,
    target: TestRegistry,
    networks: { readonly source: FlakyNetwork; readonly target: FlakyNetwork },
    uniqueBytes: number,
    options: WorkloadOptions,
  ) {
    this.folder = folder;
    this.#source = source;
    this.#target = target;
    this.#networks = networks;
    this.uniqueBytes = uniqueBytes;
    this.#options = options;
  }

  static async create(options: WorkloadOptions): Promise<Workload> {
    const folder = await mkdtemp(join(tmpdir(), 'dt-bench-'));
    const [source, target] = [await startDistribution3(), await startDistribution3()];
    const layerBytes = Math.round((options.megabytes * 1e6) / (IMAGES.length * PLATFORMS.length * LAYERS_PER_PLATFORM));
    let uniqueBytes = 0;
    for (const name of IMAGES) {
      const pushed = await pushImage(source.host, `bench/${name}:1.0`, {
        platforms: PLATFORMS,
        layers: LAYERS_PER_PLATFORM,
        layerBytes,
        seed: name,
      });
      uniqueBytes += pushed.totalBytes;
    }
    const networks = { source: await FlakyNetwork.start(source.host), target: await FlakyNetwork.start(target.host) };
    const workload = new Workload(folder, source, target, networks, uniqueBytes, options);
    await workload.#writeChart(workload.#chartFolder, source.host);
    await workload.#writeChart(workload.#proxiedChartFolder, networks.source.host);
    return workload;
  }

  async close(): Promise<void> {
    for (const network of Object.values(this.#networks)) network.close();
    await Promise.all([this.#source.close(), this.#target.close()]);
    await rm(this.folder, { recursive: true, force: true });
  }

  get outputFolder(): string {
    return join(this.folder, 'out');
  }

  get wrapFile(): string {
    return join(this.outputFolder, 'bench.wrap.tgz');
  }

  /** Leaves the wrap of the run before out of the way. */
  async wrap(): Promise<Command> {
    await rm(this.outputFolder, { recursive: true, force: true });
    await mkdir(this.outputFolder);
    return { program: this.#options.dt, args: ['wrap', this.#chartFolder, '--output-file', this.wrapFile] };
  }

  async cranePull(): Promise<Command> {
    const folder = join(this.folder, 'layout');
    await rm(folder, { recursive: true, force: true });
    return {
      program: this.#options.crane,
      args: ['pull', '--format=oci', ...IMAGES.map((name) => this.#sourceOf(name)), folder],
    };
  }

  unwrap(prefix: string): Promise<Command> {
    const target = `${this.#target.host}/${prefix}`;
    return Promise.resolve({ program: this.#options.dt, args: ['unwrap', this.wrapFile, target, '--yes'] });
  }

  /** The same images, one `crane copy` after the other: crane takes one reference at a time. */
  craneCopy(prefix: string): Promise<Command> {
    const copies = IMAGES.map((name) => `"$0" copy ${this.#sourceOf(name)} ${this.#target.host}/${prefix}/${name}:1.0`);
    return Promise.resolve({ program: 'sh', args: ['-c', copies.join(' && '), this.#options.crane] });
  }

  /** A wrap through a proxy that fails for this share of the requests. */
  async wrapOverNetwork(chance: number, seed: number): Promise<Command> {
    await this.#networks.source.setFailures({ chance, seed });
    const file = join(this.folder, 'network.wrap.tgz');
    await rm(file, { force: true });
    return { program: this.#options.dt, args: ['wrap', this.#proxiedChartFolder, '--output-file', file] };
  }

  /** An unwrap through a proxy that fails for this share of the requests. */
  async unwrapOverNetwork(chance: number, seed: number, prefix: string): Promise<Command> {
    const { target } = this.#networks;
    await target.setFailures({ chance, seed });
    return { program: this.#options.dt, args: ['unwrap', this.wrapFile, `${target.host}/${prefix}`, '--yes'] };
  }

  info(path: string): Command {
    return { program: this.#options.dt, args: ['info', path] };
  }

  /** The chart in a folder with its lock: `info` on it loads the same code and reads next to nothing. */
  async lockedChartFolder(): Promise<string> {
    const folder = join(this.folder, 'locked');
    await cp(this.#chartFolder, folder, { recursive: true });
    const { code, output } = await runCommand(this.#options.dt, ['images', 'lock', folder], { isCaptured: true });
    if (code !== 0) throw new Error(`the chart cannot be locked: ${output}`);
    return folder;
  }

  get #chartFolder(): string {
    return join(this.folder, 'chart');
  }

  get #proxiedChartFolder(): string {
    return join(this.folder, 'proxied-chart');
  }

  #sourceOf(name: string, host = this.#source.host): string {
    return `${host}/bench/${name}:1.0`;
  }

  async #writeChart(folder: string, host: string): Promise<void> {
    await mkdir(folder);
    const images = IMAGES.map((name) => `    - name: ${name}\n      image: ${this.#sourceOf(name, host)}\n`).join('');
    const metadata = `apiVersion: v2\nname: bench\nversion: 1.0.0\nannotations:\n  images: |\n${images}`;
    await writeFile(join(folder, 'Chart.yaml'), metadata);
    const values = IMAGES.map((name) => `${name}:\n  image: ${this.#sourceOf(name, host)}\n`).join('');
    await writeFile(join(folder, 'values.yaml'), values);
  }
}
