import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { REPOSITORY_ROOT } from '../lib/run-command.ts';

/** `node_modules/a/node_modules/@b/c` in `node_modules/a/node_modules/@b/c/lib/x.js`. */
const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i;
const RULE = '-'.repeat(80);
/** For a package that comes without its licence. `LICENSE`, which lies beside the notices, is the Apache License. */
const STANDARD_TEXTS: Readonly<Record<string, (author: string) => string>> = {
  'Apache-2.0': (author) =>
    `Copyright ${author}\n\nLicensed under the Apache License, Version 2.0: see the file LICENSE.`,
  MIT: (author) => `Copyright (c) ${author}\n\n${MIT_TERMS}`,
};
const MIT_TERMS = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** A library that is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  readonly homepage: string | undefined;
  /** `sha512-…` as package-lock.json has it. */
  readonly integrity: string | undefined;
  /** What its licence files say, one after the other. */
  readonly licenseText: string;
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly homepage?: string;
  readonly author?: string | { readonly name?: string };
}

/** The libraries that went into the bundles, in the order of their names. Throws for one without a licence. */
export async function listBundledPackages(metafiles: readonly Metafile[]): Promise<BundledPackage[]> {
  const inputs = metafiles.flatMap(({ outputs }) => Object.values(outputs).flatMap((output) => listUsed(output)));
  const folders = new Set(inputs.map((path) => PACKAGE_FOLDER.exec(path)?.[0]).filter((path) => path !== undefined));
  const lockFile = join(REPOSITORY_ROOT, 'package-lock.json');
  const lock = JSON.parse(await readFile(lockFile, 'utf8')) as {
    packages: Record<string, { integrity?: string } | undefined>;
  };
  const packages = new Map<string, BundledPackage>();
  for (const folder of [...folders].sort()) {
    const found = await readPackage(folder, lock.packages[folder]?.integrity);
    packages.set(`${found.name}@${found.version}`, found);
  }
  return [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

function listUsed({ inputs }: Metafile['outputs'][string]): string[] {
  return Object.entries(inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
}

async function readPackage(folder: string, integrity: string | undefined): Promise<BundledPackage> {
  const path = join(REPOSITORY_ROOT, folder);
  const found = JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as PackageJson;
  const { name, version, license, homepage } = found;
  if (license === undefined) throw new Error(`${name}@${version} does not say under which licence it is`);
  const files = (await readdir(path)).filter((file) => LICENSE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map(async (file) => readFile(join(path, file), 'utf8')));
  const licenseText = texts.map((text) => text.trim()).join('\n\n') || standardText(found, license);
  return { name, version, license, homepage, integrity, licenseText };
}

function standardText({ name, version, author }: PackageJson, license: string): string {
  const format = STANDARD_TEXTS[license];
  if (format === undefined) throw new Error(`${name}@${version} comes without the text of its licence, ${license}`);
  const authorName = typeof author === 'string' ? author : author?.name;
  return format(authorName ?? `the authors of ${name}`);
}

/** The licences of everything that a package carries; `nodeLicense` is that of Node.js, if it carries that. */
export function formatNotices(packages: readonly BundledPackage[], nodeLicense: string | undefined): string {
  const sections = packages.map(({ name, version, license, homepage, licenseText }) =>
    [`${name} ${version} (${license})`, ...(homepage === undefined ? [] : [homepage]), '', licenseText].join('\n'),
  );
  if (nodeLicense !== undefined)
    sections.push(`Node.js ${process.versions.node}\nhttps://nodejs.org\n\n${nodeLicense}`);
  const head = 'This program contains the following software, each part under its own licence.';
  return `${[head, ...sections.map((section) => section.trim())].join(`\n\n${RULE}\n\n`)}\n`;
}
