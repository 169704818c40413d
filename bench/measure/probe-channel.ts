/** The bench's end of the channel to the probe in a server process. */
import type { ChildProcess } from 'node:child_process';
import type { ProbeReport, ToProbe } from './probe.ts';

/** A busy server answers late. One that does not answer must not stop the bench. */
const ANSWER_WITHIN_MS = 30_000;

export class ProbeChannel {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Undefined if the process is gone or does not answer. */
  ask(message: ToProbe): Promise<ProbeReport | undefined> {
    return new Promise((resolve) => {
      if (!this.#child.connected) return resolve(undefined);
      const give = (report: ProbeReport | undefined): void => {
        clearTimeout(limit);
        this.#child.off('message', onReport);
        this.#child.off('exit', gone);
        resolve(report);
      };
      const onReport = (report: ProbeReport): void => {
        if (report.probe === message.probe) give(report);
      };
      const gone = (): void => give(undefined);
      const limit = setTimeout(gone, ANSWER_WITHIN_MS);
      this.#child.on('message', onReport);
      this.#child.once('exit', gone);
      this.#child.send(message, () => {});
    });
  }
}
