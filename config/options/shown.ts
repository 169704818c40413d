/** How an option is shown to the system administrator: its value without secrets, and where it comes from. */
import type { ServerOption } from '../../http/routes/server-options.ts';
import { isSecret, type Option } from './option.ts';

/** Where the value of an option that is in force comes from. */
export interface Origin {
  readonly source: Exclude<ServerOption['source'], 'DEFAULT' | 'DEMO'>;
  /** E.g. `server.port in config/claimd.yml`. */
  readonly where: string;
}

/**
 * @param section the title under which it is documented
 * @param effective what the option is, after all sources
 * @param origin undefined: nobody has set it
 * @param fallback where its value comes from then
 */
export function shownOption(
  option: Option,
  section: string,
  effective: unknown,
  origin: Origin | undefined,
  fallback: 'DEFAULT' | 'DEMO',
): ServerOption {
  const none = effective === undefined;
  const hidden = !none && isSecret(option);
  return {
    key: option.key,
    env: option.env,
    section,
    meaning: option.why,
    source: origin?.source ?? fallback,
    where: origin?.where ?? null,
    value: none || hidden ? null : String(effective),
    hidden,
  };
}
