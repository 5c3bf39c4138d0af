'use strict';
// The first code of the executable. All others lie in it as assets: `NAME` is the source of a module and `NAME.cache` what
// V8 made of it when it was built, which it takes if it was built for this platform.
const { writeSync } = require('node:fs');
const { getAssetKeys, getRawAsset } = require('node:sea');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const assets = new Set(getAssetKeys());
const loaded = new Map();

/** The bytes of an asset, which end with their checksum. */
function readAsset(name) {
  const bytes = Buffer.from(getRawAsset(name));
  const content = bytes.subarray(0, -4);
  if (crc32(content) === bytes.readUInt32LE(content.length)) return content;
  writeSync(2, `dt: this executable is damaged (${name}); install its package again\n`);
  process.exit(1);
}

function load(path) {
  const name = path.replace('./', '');
  let module = loaded.get(name);
  if (module !== undefined) return module.exports;
  if (!assets.has(name)) return require(path);
  module = { exports: {} };
  loaded.set(name, module);
  const cachedData = assets.has(`${name}.cache`) ? readAsset(`${name}.cache`) : undefined;
  const script = new Script(readAsset(name).latin1Slice(), { filename: name, cachedData });
  script.runInThisContext()(module.exports, load, module, __filename, __dirname);
  return module.exports;
}

load('main.js');
