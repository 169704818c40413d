/** The one fault that whoever reads or writes has to expect. Everything else that is thrown is a bug. */

/** The store cannot serve just now (disk full, connection lost, closed). Nothing is known about the last write. */
export class StoreUnavailable extends Error {
  constructor(store: string, cause: unknown) {
    super(
      `the store (${store}) is not available: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.name = 'StoreUnavailable';
  }
}

/**
 * For `promise.catch(…)`: `answer` where the store is not available. Whatever else went wrong is a bug, and is thrown on.
 */
export function ifUnavailable<Answer>(
  answer: (error: StoreUnavailable) => Answer,
): (error: unknown) => Answer {
  return (error) => {
    if (!(error instanceof StoreUnavailable)) throw error;
    return answer(error);
  };
}
