/**
 * The words that the parts of the bench share: what a scenario is, what a load is, what a measurement says.
 *
 * A scenario prepares a target, runs loads against it and says what it found; it knows nothing of processes, sockets
 * or terminals. A load (`Job`) is plain data, so that it can be handed to generator processes. Latencies are in
 * microseconds in histograms and in milliseconds for people.
 */

export const PROFILES = ['smoke', 'standard', 'full'] as const;
export type Profile = (typeof PROFILES)[number];

// ------------------------------------------------------------------------------------------------------------- load

/**
 * When operations begin. `closed`: as soon as there is a free lane, like users who wait for their answer. `open`: at
 * instants that do not depend on the answers, like a crowd that does not know of each other; the latency counts from
 * the intended instant, so that a server that stalls is not excused for what could not even be sent.
 */
export type Pace =
  | { readonly type: 'closed' }
  | { readonly type: 'open'; readonly perSecond: number; readonly arrivals: Arrival };
export type Arrival = 'even' | 'poisson';

/**
 * Which device an operation is about. `lane`: each connection has its own, again and again. `once`: each of a range,
 * once. `cycle`: a range, over and over. With `rivals` each comes so many times in a row, each time from another user.
 */
export interface Subjects {
  readonly type: 'lane' | 'once' | 'cycle';
  readonly from: number;
  /** Not for `lane`: there it is the number of connections. */
  readonly count: number;
  readonly rivals?: number;
  /** From one device to the next: more than 1 spreads them over a larger population. */
  readonly stride?: number;
}

/** `{n}` in texts stands for the number of the device. */
export type Payload =
  | { readonly type: 'text'; readonly text: string }
  /** A claim window that closes at its device's place in a span of time. */
  | {
      readonly type: 'closing';
      readonly secretKey: string;
      readonly firstAt: number;
      readonly spreadMs: number;
      readonly count: number;
    };

interface StepBase {
  /** What people call it, e.g. `confirm`. */
  readonly name: string;
  readonly host: string;
  /** Of the nodes that can be asked; connections take turns over them. */
  readonly ports: readonly number[];
  /** Answers that are as they should be. */
  readonly right: readonly string[];
  /** Answers by which the server says that it can not now, or that lost their way: counted, and no failure. */
  readonly refused: readonly string[];
}

/**
 * A PUBLISH at QoS 1. One device per connection. Outcome: `PUBACK`, in version 5 with its reason. With `response` that
 * topic is subscribed, and what the server publishes there is the answer: behind a broker the PUBACK is the broker's,
 * and says nothing about the window. Outcome: `told`, and the status.
 */
export interface MqttStep extends StepBase {
  readonly type: 'mqtt';
  readonly version: 4 | 5;
  readonly userName: string;
  readonly topic: string;
  readonly response?: string;
  readonly payload: Payload;
}

/** A TCP connection, CONNECT, CONNACK. Outcome: `CONNACK 0`. */
export interface ConnectStep extends StepBase {
  readonly type: 'connect';
  readonly userName: string;
  /** Whether connections stay open until the generators are told to let go. */
  readonly hold: boolean;
}

/** A request on a connection kept alive. Outcome: the status; with `reads` also the claim's response. */
export interface HttpStep extends StepBase {
  readonly type: 'http';
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body: Payload;
  /** Bearer tokens; device n asks as number n of them, its rivals as those behind. */
  readonly tokens: readonly string[];
  readonly reads: 'status' | 'claim';
}

/** A confirmable POST until its answer, repeated as RFC 7252 says. Outcome: the code, e.g. `2.04`. */
export interface CoapStep extends StepBase {
  readonly type: 'coap';
  readonly path: string;
  readonly payload: Payload;
}

export type Step = MqttStep | ConnectStep | HttpStep | CoapStep;

export interface Job {
  /** What the live view calls it. */
  readonly title: string;
  /** Carried out one after the other for each operation; it ends with the first whose answer is not right. */
  readonly steps: readonly Step[];
  readonly connections: number;
  /** Operations under way per connection. HTTP/1.1 carries one, so there it is more connections. */
  readonly inflight: number;
  readonly subjects: Subjects;
  readonly pace: Pace;
  readonly warmUpMs: number;
  /** It ends after so long, or when each of its subjects had its turn. */
  readonly durationMs: number;
  readonly timeoutMs: number;
  readonly tickMs: number;
  /** The outcome whose devices are told at the end, one entry each time. */
  readonly keep?: string;
  /** Operations that one answer stands for, e.g. the devices of a gateway's message. */
  readonly weight: number;
}

// ------------------------------------------------------------------------------------------------------ measurement

export interface Latency {
  readonly count: number;
  readonly meanMs: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
  /** HdrHistogram V2, compressed, base64; values in microseconds. */
  readonly histogram: string;
}

export interface Tick {
  /** Seconds since the measured time began; negative while warming up. */
  readonly at: number;
  readonly perSecond: number;
  readonly refusedPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Cores that the server used; undefined where it can not be seen. */
  readonly cores?: number;
  readonly rssMb?: number;
  readonly privateMb?: number;
}

/** What could be seen of the server's processes while a load was measured. */
export interface ServerFigures {
  readonly cpuUsPerOperation: number;
  readonly cores: number;
  readonly rssMb: number;
  readonly privateMb: number;
  /** The same for processes beside it (a store, a broker), by name. */
  readonly beside: { readonly [name: string]: { readonly cpuUsPerOperation: number } };
  readonly eventLoop?: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  readonly gcShare?: number;
  readonly commitsPerSecond?: number;
}

export interface Measurement {
  /** `claimd`, or the name of a peer. */
  readonly subject: string;
  readonly role: 'ours' | 'peer';
  /** What tells several of one subject apart, e.g. `10,000 devices`; else empty. */
  readonly variant: string;
  readonly pace: Pace;
  readonly seconds: number;
  readonly operations: number;
  readonly perSecond: number;
  readonly latency: Latency;
  /** Of each step, where there are several. */
  readonly steps: readonly { readonly name: string; readonly latency: Latency }[];
  readonly refused: { readonly [kind: string]: number };
  readonly wrong: { readonly [kind: string]: number };
  readonly timeline: readonly Tick[];
  readonly server?: ServerFigures;
  readonly generator: GeneratorFigures;
}

export interface GeneratorFigures {
  readonly workers: number;
  /** Of the busiest generator process, as a share of one core. */
  readonly busiestCpu: number;
  readonly cores: number;
  /** How late the generator itself was (open loop), 99th percentile. */
  readonly lateP99Ms: number;
}

/** A number that a scenario is about and that is not the rate or latency of a load. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Where it is the peer's and not ours. */
  readonly peer?: string;
}

export interface ModuleShare {
  readonly module: string;
  readonly share: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly node: string;
  /** One-minute load average when the run began: others at work make figures worth less. */
  readonly loadBefore: number;
}

/** One line of a results file: one repetition of one scenario. */
export interface Result {
  readonly format: 1;
  readonly scenario: string;
  readonly label: string;
  readonly repetition: number;
  readonly startedAt: string;
  readonly profile: Profile;
  readonly options: { readonly [name: string]: string | number | boolean };
  readonly target: string;
  readonly store: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly measurements: readonly Measurement[];
  readonly figures: readonly Figure[];
  readonly cpuProfile?: readonly ModuleShare[];
  readonly heapProfile?: readonly ModuleShare[];
  readonly warnings: readonly string[];
  /** Wrong answers, in words. A run with any has failed. */
  readonly failures: readonly string[];
}
