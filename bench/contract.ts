/**
 * The types that the parts of the bench share: loads and measurements.
 *
 * A load (`Job`) is plain data, so that it can be sent to generator processes. Latencies are in microseconds in
 * histograms, and in milliseconds everywhere else.
 */

export const PROFILES = ['smoke', 'standard', 'full'] as const;
export type Profile = (typeof PROFILES)[number];

// ------------------------------------------------------------------------------------------------------------- load

/**
 * When operations begin. `closed`: as soon as a lane is free, like users who wait for their answer. `open`: at instants
 * that do not depend on answers, like independent users. The latency counts from that instant, so that it includes the
 * wait for a server that stalls.
 */
export type Pace =
  | { readonly type: 'closed' }
  | { readonly type: 'open'; readonly perSecond: number; readonly arrivals: Arrival };
export type Arrival = 'even' | 'poisson';

/**
 * Which device an operation is about. `lane`: each connection has its own device. `once`: each device of a range, once.
 * `cycle`: a range, over and over. With `rivals` each device comes this many times in a row, each from another user.
 */
export interface Subjects {
  readonly type: 'lane' | 'once' | 'cycle';
  readonly from: number;
  /** Ignored for `lane`: there it is the number of connections. */
  readonly count: number;
  readonly rivals?: number;
  /** The step from one device to the next. More than 1 spreads them over a larger population. */
  readonly stride?: number;
  /** For `lane`: how often each device comes; undefined: over and over. */
  readonly times?: number;
}

/** `{n}` in texts stands for the device's number, `{token}` for the token that it has by now (`Job.token`). */
export type Payload =
  | { readonly type: 'text'; readonly text: string }
  /** A claim request. The windows of all devices close one after the other, spread over a time span. */
  | {
      readonly type: 'closing';
      readonly secretKey: string;
      readonly firstAt: number;
      readonly spreadMs: number;
      readonly count: number;
    }
  /** A gateway's claim of `size` devices, from number `n` times `size` on. */
  | {
      readonly type: 'batch';
      /** Of the devices, with `{n}`. */
      readonly name: string;
      readonly size: number;
      /** The JSON of each device's claim. */
      readonly claim: string;
    };

interface StepBase {
  /** For people, e.g. `confirm`. */
  readonly name: string;
  readonly host: string;
  /** The ports of all nodes. Connections use them in turn. */
  readonly ports: readonly number[];
  /** Right outcomes. */
  readonly right: readonly string[];
  /** Outcomes that are counted and do not fail the run: the server is unavailable or the answer was lost. */
  readonly refused: readonly string[];
  /** Outcomes that are right where the step was sent again, because the answer of the first time may have been lost. */
  readonly rightAgain?: readonly string[];
  /**
   * Outcomes that say that what was acknowledged before is not there yet. They are counted as findings, and the step is sent
   * again until the time of an operation is up.
   */
  readonly early?: readonly string[];
}

/**
 * A PUBLISH at QoS 1. One device per connection; it connects anew when it has another token. Outcome: `PUBACK`, in version 5
 * with its reason code. With `response` the answer is the server's message on that topic, because behind a broker the PUBACK
 * says nothing about the window. Outcome: `response`, and the status.
 */
export interface MqttStep extends StepBase {
  readonly type: 'mqtt';
  readonly version: 4 | 5;
  readonly userName: string;
  readonly topic: string;
  readonly response?: string;
  readonly payload: Payload;
  /** Set if connections are not devices but so many gateways, from number 0: what they send is about the device of each operation. */
  readonly gateways?: number;
}

/** A TCP connection, CONNECT, CONNACK. Outcome: `CONNACK 0`. */
export interface ConnectStep extends StepBase {
  readonly type: 'connect';
  readonly userName: string;
  /** Whether connections stay open until the generators release them. */
  readonly hold: boolean;
  /** The keep-alive that CONNECT names, in seconds; held connections send a PINGREQ as often. 0: none, they stay silent. */
  readonly keepAliveS: number;
}

/**
 * A request on a kept-alive connection. Outcome: the status; with `reads: 'claim'` also the response. With `reads: 'code'` the
 * code in the answer stands for `{code}` in the bodies of the steps after it. With `reads: 'token'` the token in the answer
 * is the device's from then on.
 */
export interface HttpStep extends StepBase {
  readonly type: 'http';
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body: Payload;
  /** Bearer tokens. Device n uses token n modulo their number, its rivals the next ones. */
  readonly tokens: readonly string[];
  readonly reads: 'status' | 'claim' | 'code' | 'token';
}

/** A confirmable POST, repeated as in RFC 7252. Outcome: the code, e.g. `2.04`. */
export interface CoapStep extends StepBase {
  readonly type: 'coap';
  readonly path: string;
  readonly payload: Payload;
}

export type Step = MqttStep | ConnectStep | HttpStep | CoapStep;

export interface Job {
  /** For the live view. */
  readonly title: string;
  /** The steps of each operation. It ends with the first outcome that is not right. */
  readonly steps: readonly Step[];
  readonly connections: number;
  /** Operations in flight per connection. With HTTP/1.1 it multiplies the connections. */
  readonly inflight: number;
  readonly subjects: Subjects;
  readonly pace: Pace;
  readonly warmUpMs: number;
  /** The load ends after this time, or when each of its subjects had its turn. */
  readonly durationMs: number;
  readonly timeoutMs: number;
  readonly tickMs: number;
  /** The outcome whose devices are listed in the result, once for each time. */
  readonly keep?: string;
  /** Operations that one answer counts for, e.g. the devices in a gateway's message. */
  readonly weight: number;
  /** How often a step that was refused is sent again. Undefined: never, as where refusals are counted. */
  readonly retries?: number;
  /** Set if devices learn other tokens on the way: the one that device `{n}` has first. */
  readonly token?: string;
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
  /** Cores that the server used; undefined if it cannot be seen. */
  readonly cores?: number;
  readonly rssMb?: number;
  readonly privateMb?: number;
}

/** The server's processes during a load. */
export interface ServerFigures {
  readonly cpuUsPerOperation: number;
  readonly cores: number;
  readonly rssMb: number;
  readonly privateMb: number;
  /** The same for other processes (a store, a broker), by name. */
  readonly beside: { readonly [name: string]: { readonly cpuUsPerOperation: number } };
  readonly eventLoop?: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  readonly gcShare?: number;
  readonly commitsPerSecond?: number;
}

export interface Measurement {
  /** `claimd`, or the name of a peer. */
  readonly subject: string;
  readonly role: 'ours' | 'peer';
  /** What an acknowledgement promises, for people; not in results of before. */
  readonly durability?: string;
  /** Distinguishes several measurements of one subject, e.g. `10,000 devices`; else empty. */
  readonly variant: string;
  readonly pace: Pace;
  readonly seconds: number;
  readonly operations: number;
  readonly perSecond: number;
  readonly latency: Latency;
  /** Of each step, if there are several. */
  readonly steps: readonly { readonly name: string; readonly latency: Latency }[];
  readonly refused: { readonly [kind: string]: number };
  readonly wrong: { readonly [kind: string]: number };
  /** Answers that told that something acknowledged was not there yet. */
  readonly findings?: { readonly [kind: string]: number };
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

/** A result of a scenario that is not the rate or latency of a load. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Set if it is the peer's. */
  readonly peer?: string;
}

/** A minute, or what is left of one, in which nobody sends anything. */
export interface RestMinute {
  /** Set if it is the peer's. */
  readonly peer?: string;
  /** Seconds since the rest began, at its end. */
  readonly at: number;
  /** Processor time of the server, as a share of one core. */
  readonly cores: number;
  /** At its end, without a collection of garbage. */
  readonly privateMb: number;
  /** One-minute load average of the machine. */
  readonly load: number;
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
  /** A write of 4 KB and its fdatasync, in ms: the yardstick of durable answers. Not in results of before. */
  readonly diskFlushMs?: number;
  /** One-minute load average when the run began. Other work on the machine makes figures unreliable. */
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
  /** The series of a rest; not in results of before. */
  readonly rest?: readonly RestMinute[];
  readonly cpuProfile?: readonly ModuleShare[];
  readonly heapProfile?: readonly ModuleShare[];
  readonly warnings: readonly string[];
  /** Wrong answers, in words. A run with any has failed. */
  readonly failures: readonly string[];
}
