/** The one fault that whoever looks something up has to expect. */
import { StoreUnavailable } from '../store/store.ts';

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
