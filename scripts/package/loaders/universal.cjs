'use strict';
// The whole program in one file: a module is compiled when it is needed, so it stands here as a text.
const { Script } = require('node:vm');

const sources = MODULE_SOURCES;
const loaded = new Map();

function load(path) {
  const name = path.replace('./', '');
  let module = loaded.get(name);
  if (module !== undefined) return module.exports;
  if (!Object.hasOwn(sources, name)) return require(path);
  module = { exports: {} };
  loaded.set(name, module);
  const script = new Script(sources[name], { filename: name });
  script.runInThisContext()(module.exports, load, module, __filename, __dirname);
  return module.exports;
}

load('main.js');
