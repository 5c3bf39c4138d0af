const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const BYTES_PER_STEP = 1000;
const SECOND_MS = 1000;
const MINUTE_S = 60;
const HOUR_S = 3600;

/** A size for people, in decimal units (1 GB = 10^9 bytes) with one decimal: `270.1 MB`, `999 B`. */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  // 999.95 would print as "1000.0": it belongs to the next unit.
  while (value >= (unit === 0 ? BYTES_PER_STEP : BYTES_PER_STEP - 0.05) && unit < BYTE_UNITS.length - 1) {
    value /= BYTES_PER_STEP;
    unit += 1;
  }
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${BYTE_UNITS[unit] ?? 'B'}`;
}

/** A duration for people: `80 ms`, `1.1 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 100) return `${String(Math.round(durationMs))} ms`;
  const seconds = durationMs / SECOND_MS;
  if (seconds < MINUTE_S - 0.05) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < HOUR_S) return `${String(Math.floor(whole / MINUTE_S))} min ${String(whole % MINUTE_S)} s`;
  return `${String(Math.floor(whole / HOUR_S))} h ${String(Math.floor((whole % HOUR_S) / MINUTE_S))} min`;
}

/** A number with its noun: `1 image`, `3 images`. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${String(count)} ${count === 1 ? singular : plural}`;
}
