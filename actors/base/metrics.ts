/**
 * Figures about this process, for whoever watches it (`config/metrics`): plain numbers that are counted up where things happen
 * and become text only when somebody asks. Counting costs some nanoseconds and no memory.
 *
 * The values of a label are known in advance and few: never a device, a customer, an address or a topic.
 */

/** One number. Whoever counts holds it and adds to `value`. */
export interface Cell {
  value: number;
}

type Labels = Readonly<Record<string, readonly string[]>>;

interface Described {
  /** As Prometheus names things: base units, counters end in `_total`. */
  readonly name: string;
  readonly help: string;
}

/** What was measured, as data that may go to another process. */
export interface Family extends Described {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly samples: readonly Sample[];
  /** Of a histogram: the upper bounds of its buckets, without the infinite one. */
  readonly bounds?: readonly number[];
}

export interface Sample {
  /** In the order of the family's labels. */
  readonly of: readonly string[];
  /** One number; of a histogram the counts of its buckets (not summed up, the last one is the infinite one), then the sum. */
  readonly numbers: readonly number[];
}

interface Counter {
  /** The number of these values of the labels, in their order. A value that was not declared is a bug. */
  of(...values: readonly string[]): Cell;
}

export interface Histogram {
  /** @param value in the unit of the name: seconds, bytes, or a count */
  observe(value: number): void;
}

/** Read when somebody asks. */
type ReadGauge = () => readonly (readonly [of: readonly string[], value: number])[];

/** Seconds; for what is acknowledged to a device, and for commits. */
export const ACK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

export class Metrics {
  readonly #families: (() => Family)[] = [];

  /** @param labels with all values that they can have: each combination begins at 0, so that a first event is a rise */
  counter(described: Described, labels: Labels = {}): Counter {
    const cells = combinations(labels).map((of) => ({ of, cell: { value: 0 } }));
    const byKey = new Map(cells.map(({ of, cell }) => [of.join('\n'), cell]));
    this.#families.push(() => ({
      ...described,
      type: 'counter',
      labels: Object.keys(labels),
      samples: cells.map(({ of, cell }) => ({ of, numbers: [cell.value] })),
    }));
    return {
      of(...values) {
        const cell = byKey.get(values.join('\n'));
        if (cell === undefined) throw new Error(`${described.name} has no ${values.join(', ')}`);
        return cell;
      },
    };
  }

  gauge(described: Described, labels: readonly string[], read: ReadGauge): void {
    this.#families.push(() => ({
      ...described,
      type: 'gauge',
      labels,
      samples: read().map(([of, value]) => ({ of, numbers: [value] })),
    }));
  }

  /** A counter that somebody else keeps. */
  counted(described: Described, read: () => number): void {
    this.#families.push(() => ({
      ...described,
      type: 'counter',
      labels: [],
      samples: [{ of: [], numbers: [read()] }],
    }));
  }

  histogram(described: Described, bounds: readonly number[]): Histogram {
    const buckets = new Buckets(bounds);
    this.#addHistogram(described, bounds, [], () => [{ of: [], numbers: buckets.numbers() }]);
    return buckets;
  }

  /** @param values of the label; see `histogramsOf` for where they are not known in advance */
  histograms(described: Described, bounds: readonly number[], label: string, values: readonly string[]) {
    const known = this.histogramsOf(described, bounds, [label]);
    return new Map(values.map((value) => [value, known([value])]));
  }

  /** Of values that come up by and by, which must be few all the same (the routes of the API). */
  histogramsOf(described: Described, bounds: readonly number[], labels: readonly string[]) {
    const found: { readonly of: readonly string[]; readonly buckets: Buckets }[] = [];
    this.#addHistogram(described, bounds, labels, () =>
      found.map(({ of, buckets }) => ({ of, numbers: buckets.numbers() })),
    );
    return (of: readonly string[]): Histogram => {
      const buckets = new Buckets(bounds);
      found.push({ of, buckets });
      return buckets;
    };
  }

  #addHistogram(
    described: Described,
    bounds: readonly number[],
    labels: readonly string[],
    samples: () => readonly Sample[],
  ): void {
    this.#families.push(() => ({ ...described, type: 'histogram', labels, bounds, samples: samples() }));
  }

  /** All figures as they are now. */
  read(): readonly Family[] {
    return this.#families.map((read) => read());
  }
}

class Buckets implements Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    // Nearly all values fall into the first buckets, so this is faster than halving.
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  numbers(): readonly number[] {
    return [...this.#counts, this.#sum];
  }
}

function combinations(labels: Labels): readonly (readonly string[])[] {
  return Object.values(labels).reduce<readonly (readonly string[])[]>(
    (before, values) => before.flatMap((of) => values.map((value) => [...of, value])),
    [[]],
  );
}
