/** A start fails for a reason that the operator can fix. `message` is one line for a person. */
export class StartRefused extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartRefused';
  }
}
