/** Why a row of a job came to nothing, as it is stored: nodes of several versions write the rows of one store. */
export interface ToldReason {
  /** In English, which every version reads; null: there is nothing to tell. */
  readonly message: string | null;
  /**
   * A code with its values. One of a newer version, or one left from before an older version changed the message, says nothing: see
   * `http/views/import.ts` and `http/views/batch.ts`.
   */
  readonly reason?: unknown;
}

export const NOTHING_TOLD: ToldReason = { message: null, reason: undefined };
