/** What the start tells an operator whose settings are allowed and yet probably not meant. */
import { isLoopback } from '../../actors/sockets/loopback.ts';
import type { Config } from './schema.ts';

/** One sentence each, for a person; without secrets. */
export function warningsOf({ http }: Config): string[] {
  const warnings: string[] = [];
  if (http.baseUrl === undefined && !isLoopback(http.address)) {
    warnings.push(
      'no HTTP_BASE_URL is set: labels, claim links and activation links carry whatever address the request was sent to, ' +
        'so set it to the address that people use',
    );
  }
  return warnings;
}
