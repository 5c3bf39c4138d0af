import assert from 'node:assert/strict';
import { listGoldenCases, withoutGenerationTime, type GoldenStep } from '../support/golden.ts';
import { runSteps, type Replay } from './replay-frame.ts';

/** Lines that only we print. */
const OWN_LINES = /^\s*(?:Size|Content): /;
const LOG_LINE = /^time="[^"]*" level=info msg=(?:"((?:[^"\\]|\\.)*)"|(.*))$/;

/** `info`: the same lines, on standard output also with `--plain`, where the Go tool logs them. */
export function replayInfoCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-info')) {
    replay(path, async (context) => {
      const results = await runSteps(context);
      for (const [index, step] of context.goldenCase.steps.entries()) {
        const result = results[index];
        if (step.exit !== 0 || result === undefined) continue;
        assert.deepEqual(readOwnReport(result.stdout, step), readRecordedReport(step), step.argv?.join(' ') ?? '');
        assert.equal(result.stderr, '');
      }
    });
  }
}

function readOwnReport(stdout: string, step: GoldenStep): string[] {
  const lines = withoutTime(stdout).filter((line) => !OWN_LINES.test(line));
  return isLogged(step) ? lines.map((line) => line.replace(/^\s*(?:» +)?/, '').trimStart()) : lines;
}

function readRecordedReport(step: GoldenStep): string[] {
  if (!isLogged(step)) return withoutTime(step.stdout);
  return withoutTime(step.stderr).map((line) => {
    const [, quoted, bare] = LOG_LINE.exec(line) ?? [];
    return (quoted?.replaceAll('\\"', '"') ?? bare ?? line).trim();
  });
}

function isLogged({ argv }: GoldenStep): boolean {
  return argv?.includes('--plain') === true;
}

function withoutTime(text: string): string[] {
  return withoutGenerationTime(text)
    .replace(/generatedAt: .*?("?)$/gm, 'generatedAt: TIME$1')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}
