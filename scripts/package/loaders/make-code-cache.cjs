'use strict';
// Runs the modules of a folder with each of the command lines, and writes beside each module what V8 has compiled of it by
// then. Node.js must be started with the flags of the executable, or be given flags that make them so at the end: V8 takes
// no cache of a process with others. Arguments: the folder, command lines and flags as JSON.
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

const folder = process.argv[2];
const [commandLines, flags] = [JSON.parse(process.argv[3]), JSON.parse(process.argv[4])];
const scripts = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .map((name) => [name, new Script(readFileSync(join(folder, name), 'latin1'), { filename: name })]),
);
const exit = process.exit;
// The program ends itself; the next command line has modules of its own, compiled already.
process.exit = () => setImmediate(runNext);
runNext();

function runNext() {
  process.removeAllListeners('beforeExit');
  const args = commandLines.shift();
  if (args === undefined) return finish();
  process.argv = [process.execPath, process.execPath, ...args];
  const loaded = new Map();
  const load = (path) => {
    const name = path.replace('./', '');
    let module = loaded.get(name);
    if (module !== undefined) return module.exports;
    if (!scripts.has(name)) return require(path);
    module = { exports: {} };
    loaded.set(name, module);
    scripts.get(name).runInThisContext()(module.exports, load, module, __filename, __dirname);
    return module.exports;
  };
  load('main.js');
}

function finish() {
  for (const flag of flags) setFlagsFromString(flag);
  for (const [name, script] of scripts) writeFileSync(join(folder, `${name}.cache`), script.createCachedData());
  exit(0);
}
