/** What is measured: where it listens, which of its processes can be looked at, and what can be done to it. */
import type { ProbeChannel } from '../measure/probe-channel.ts';

export interface Target {
  /** For people: `claimd on lmdb`, `tb.example.org`. */
  readonly name: string;
  readonly store: string;
  readonly host: string;
  /** One or several nodes; REST and the devices' HTTP API. */
  readonly httpPorts: readonly number[];
  readonly mqttPorts: readonly number[];
  readonly coapPorts: readonly number[];
  /** Where devices publish; `{token}` stands for a device's own token where the topic must name it. */
  readonly claimTopic: string;
  /** Where the answer comes by a topic, because the PUBACK is a broker's. */
  readonly responseTopic?: string;
  readonly url: string;
  /** The server's own processes. Empty where they are out of sight. */
  readonly nodes: readonly Node[];
  /** Processes that serve it: a store, a broker. */
  readonly beside: readonly Beside[];
  /** How many transactions its store has committed; undefined where that can not be seen. */
  commits(): Promise<number | undefined>;
  /** Where it was started by the bench: to end and start it again with the same data and ports. */
  readonly control?: Control;
  stop(): Promise<void>;
}

export interface Node {
  readonly pid: number;
  readonly probe: Pick<ProbeChannel, 'ask'>;
}

export interface Beside {
  readonly name: string;
  readonly pid: number;
}

export interface Control {
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again; resolves to how long it took until it was ready, in ms. */
  start(): Promise<number>;
  /** How much is in its data folder. */
  dataBytes(): number;
}
