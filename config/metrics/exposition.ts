/**
 * Figures as text, in the two forms that Prometheus reads: its own (0.0.4) and OpenMetrics 1.0. They differ in the content type,
 * the end, and in that OpenMetrics names a counter's family without `_total`.
 */
import type { Family, Sample } from '../../actors/base/metrics.ts';

export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** @param accept the header of the request; Prometheus asks for OpenMetrics first */
export function formatOf(accept: string | undefined): Format {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'prometheus';
}

export function expose(families: readonly Family[], format: Format): string {
  const lines: string[] = [];
  for (const family of families) {
    const { type, help } = family;
    const name = format === 'openmetrics' ? family.name.replace(/_total$/, '') : family.name;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    for (const sample of family.samples) lines.push(...linesOf(family, sample));
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function linesOf(family: Family, { of, numbers }: Sample): readonly string[] {
  const { name, labels, bounds } = family;
  const named = labels.map((label, at) => `${label}="${escapeValue(of[at] ?? '')}"`);
  if (bounds === undefined) return [`${name}${braces(named)} ${textOf(numbers[0] ?? 0)}`];
  let count = 0;
  const buckets = [...bounds.map(textOf), '+Inf'].map((bound, at) => {
    count += numbers[at] ?? 0;
    return `${name}_bucket${braces([...named, `le="${bound}"`])} ${count}`;
  });
  const sum = textOf(numbers[bounds.length + 1] ?? 0);
  return [...buckets, `${name}_sum${braces(named)} ${sum}`, `${name}_count${braces(named)} ${count}`];
}

function braces(named: readonly string[]): string {
  return named.length === 0 ? '' : `{${named.join(',')}}`;
}

function textOf(number: number): string {
  if (Number.isNaN(number)) return 'NaN';
  return Number.isFinite(number) ? String(number) : number > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
