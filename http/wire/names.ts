/** Names that people give. What an older version took stays, and may be sent back with the rest. */
import { hiddenIn } from '../../actors/base/text.ts';
import { badRequest } from './errors.ts';
import type { Problem } from './reply.ts';

type Name = string | null | undefined;

/**
 * Refuses a name with characters that nobody sees or that turn the direction of what follows.
 *
 * @param names what each is called in messages, what it is to be, and what it is now
 */
export function unlessVisible(
  names: readonly (readonly [what: string, next: Name, now?: Name])[],
): Problem | undefined {
  for (const [what, next, now] of names) {
    const hidden = typeof next === 'string' && next !== now ? hiddenIn(next) : undefined;
    if (hidden !== undefined) {
      return badRequest(
        `${what} should have no characters that nobody can see, and none that turn the direction (${hidden})!`,
      );
    }
  }
  return undefined;
}
