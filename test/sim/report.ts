/** Runs in words: how to replay one, what happened in it, how often everything happened in many. */
import type { Operation, Outcome, Violation } from './history.ts';
import type { Plant } from './plants.ts';
import type { Run } from './run.ts';

export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function describe({ law, device, text }: Violation): string {
  return `${law}: ${device}: ${text}`;
}

/** The one line that plays a seed again, alone. */
export function replayCommand(seed: number, bug?: Plant): string {
  return `npm run sim -- --seed ${seed}${bug === undefined ? '' : ` --plant ${bug}`}`;
}

/** Everything that was observed, in its order. */
export function timelineOf({ seed, history, fingerprint }: Run): string {
  const { operations, log } = history;
  const begun = operations.map((operation) => ({
    step: operation.called.step,
    at: operation.called.at,
    text: `${operation.node}  ${short(operation.device)}  ask ${operation.id}: ${wish(operation)}`,
  }));
  const ended = operations.flatMap(({ id, node, device, ended }) =>
    ended === undefined
      ? []
      : [{ ...ended.moment, text: `${node}  ${short(device)}      ${id}: ${answer(ended.outcome)}` }],
  );
  const durable = log.map(({ step, at, node, device, sequence, event }) => {
    const { type, ...rest } = event;
    return {
      step,
      at,
      text: `${node}  ${short(device)}  DURABLE ${sequence} ${type} ${JSON.stringify(rest)}`,
    };
  });
  const lines = [...begun, ...ended, ...durable].sort((a, b) => a.step - b.step);
  const start = lines[0]?.at ?? 0;
  return [
    `seed ${seed}, fingerprint ${fingerprint}, rules ${JSON.stringify(history.rules)}`,
    ...lines.map(
      ({ step, at, text }) => `${String(step).padStart(5)} ${String(at - start).padStart(8)} ms  ${text}`,
    ),
  ].join('\n');
}

function short(device: string): string {
  return device.slice(0, 4);
}

function wish({ request }: Operation): string {
  const { type, ...rest } = request;
  return `${type} ${JSON.stringify(rest)}`;
}

function answer(outcome: Outcome): string {
  const { type, ...rest } = outcome;
  return `${type} ${JSON.stringify(rest)}`;
}

/** How often each counted thing happened in all runs, and in how many of them. */
export function summarise(runs: readonly Pick<Run, 'counts'>[]): string {
  const sums = new Map<string, { total: number; runs: number }>();
  for (const { counts } of runs) {
    for (const [what, count] of counts) {
      const sum = sums.get(what) ?? { total: 0, runs: 0 };
      sums.set(what, { total: sum.total + count, runs: sum.runs + 1 });
    }
  }
  return [...sums]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(
      ([what, { total, runs }]) =>
        `${String(total).padStart(8)} in ${String(runs).padStart(5)} seeds  ${what}`,
    )
    .join('\n');
}
