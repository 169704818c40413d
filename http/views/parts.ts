/** Pieces of the views: ids, instants and optional texts as ThingsBoard writes them. */
import { z } from 'zod';

export const uuid = z.uuid();
export const entityId = <Type extends string>(type: Type) =>
  z.object({ entityType: z.literal(type), id: uuid });
/** The `additionalInfo` of an entity. */
export const info = z.record(z.string(), z.unknown()).nullable();
export const optional = z.string().nullable();
/** Milliseconds since 1970. */
export const instant = z.int();
