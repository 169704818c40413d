/** A start that can not be, for a reason an operator can mend. `message` is one line fit for a person. */
export class StartRefused extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartRefused';
  }
}
