import { parse, type SemVer } from 'semver';

/** Longer texts are not looked at. */
const MAX_VERSION_LENGTH = 256;

// Three numbers with an optional "v"; leading zeros (2024.01.05) are usual in chart repositories.
const VERSION_PATTERN = /^v?\d+\.\d+\.\d+(?:-[0-9a-z-]+(?:\.[0-9a-z-]+)*)?(?:\+[0-9a-z-]+(?:\.[0-9a-z-]+)*)?$/i;
// What Helm takes for the version in Chart.yaml: the second and third number may be missing.
const CHART_VERSION_PATTERN =
  /^v?\d+(?:\.\d+){0,2}(?:-[0-9a-z-]+(?:\.[0-9a-z-]+)*)?(?:\+[0-9a-z-]+(?:\.[0-9a-z-]+)*)?$/i;

/** The version, or undefined for a text that is not one. `1.2` is none: a tag `9` must not win over `1.0.0`. */
export function parseSemanticVersion(text: string): SemVer | undefined {
  if (text.length > MAX_VERSION_LENGTH || !VERSION_PATTERN.test(text)) return undefined;
  return parse(text, { loose: true }) ?? undefined;
}

/** True for a version that Helm accepts in Chart.yaml: semantic, or with one or two numbers only. */
export function isChartVersion(text: string): boolean {
  return text.length <= MAX_VERSION_LENGTH && CHART_VERSION_PATTERN.test(text);
}
