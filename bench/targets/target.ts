/** What is measured: where it listens, which of its processes can be watched, and how it is controlled. */
import type { ProbeChannel } from '../measure/probe-channel.ts';

export interface Target {
  /** For people: `claimd on lmdb`, `tb.example.org`. */
  readonly name: string;
  readonly store: string;
  /** What an acknowledgement promises here, for people: `on disk`. */
  readonly durability: string;
  readonly host: string;
  /** One or several nodes; REST and the devices' HTTP API. */
  readonly httpPorts: readonly number[];
  readonly mqttPorts: readonly number[];
  readonly coapPorts: readonly number[];
  /** Where devices publish. `{token}` stands for the device's token. */
  readonly claimTopic: string;
  /** Set if answers come by a topic, because the PUBACK is the broker's. */
  readonly responseTopic?: string;
  readonly url: string;
  /** The server's own processes; empty if they cannot be seen. */
  readonly nodes: readonly Node[];
  /** Processes that it uses: a store, a broker. */
  readonly beside: readonly Beside[];
  /** The number of transactions that its store has committed; undefined if that cannot be seen. */
  commits(): Promise<number | undefined>;
  /** Set if it can be restarted with the same data and ports: the bench started it, or was told how. */
  readonly control?: Control;
  stop(): Promise<void>;
}

export interface Node {
  readonly pid: number;
  readonly probe: Pick<ProbeChannel, 'ask'>;
}

/** A process that can be watched from outside alone. */
export function unprobed(pid: number): Node {
  return { pid, probe: { ask: () => Promise.resolve(undefined) } };
}

export interface Beside {
  readonly name: string;
  readonly pid: number;
}

export interface Control {
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again. Resolves to the time until it was ready, in ms. */
  start(): Promise<number>;
  /** Size of its data folder; undefined if that cannot be seen. */
  dataBytes(): number | undefined;
}
