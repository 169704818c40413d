/**
 * Tells whoever watches a device in this process that its shared attributes have changed, in whichever process that happened.
 * For CoAP, where devices observe them, and HTTP, where they wait for them. MQTT hears by its sessions.
 *
 * Between processes word may be lost. Whoever must not miss a change reads the attributes again now and then.
 */
import type { DeviceId } from '../base/ids.ts';
import { isJsonObject, type Json } from '../base/json.ts';
import type { Bus } from '../cluster/bus.ts';
import type { DeviceListener } from '../fleet/devices.ts';
import { type SharedChange, sharedChanges } from './attributes.ts';

export type News =
  | SharedChange
  /** The device has other credentials now, or is gone. */
  | { readonly type: 'revoked' };

type OnNews = (news: News) => void;

export interface AttributeNews {
  /** Calls `onNews` from now on. Returns how to stop. */
  watch(id: DeviceId, onNews: OnNews): () => void;
  readonly onDeviceEvent: DeviceListener;
  /** Hears of other processes no more. */
  stop(): void;
}

const TOPIC = 'attribute-news';

export function createAttributeNews(bus: Bus): AttributeNews {
  const watching = new Map<string, Set<OnNews>>();

  const tell = (id: string, news: News): void => {
    for (const onNews of [...(watching.get(id) ?? [])]) onNews(news);
  };
  const publish = (id: DeviceId, news: News): void => {
    tell(id, news);
    bus.publish(TOPIC, { id, news: { ...news } });
  };
  const stop = bus.subscribe(TOPIC, ({ id, news }) => {
    const heard = newsIn(news);
    if (typeof id === 'string' && heard !== undefined) tell(id, heard);
  });

  return {
    watch(id, onNews) {
      const others = watching.get(id) ?? new Set();
      watching.set(id, others.add(onNews));
      return () => {
        others.delete(onNews);
        if (others.size === 0 && watching.get(id) === others) watching.delete(id);
      };
    },

    onDeviceEvent(id, event, state, before) {
      switch (event.type) {
        case 'AttributesSaved':
          if (event.scope === 'SHARED_SCOPE') publish(id, { type: 'saved', values: event.values });
          return;
        case 'AttributesDeleted':
          if (event.scope === 'SHARED_SCOPE') publish(id, { type: 'deleted', keys: event.keys });
          return;
        case 'DeviceDeleted':
        case 'CredentialsChanged':
        case 'CredentialsRotated':
          publish(id, { type: 'revoked' });
          return;
        default:
          // What its owner wrote goes with the owner (R4).
          if ('ownerEpoch' in event) for (const change of sharedChanges(before, state)) publish(id, change);
      }
    },

    stop,
  };
}

/** What the message says, as far as this version understands it: the other process may have another version. */
function newsIn(value: Json | undefined): News | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, values, keys } = value;
  if (type === 'saved' && isJsonObject(values)) return { type, values };
  if (type === 'deleted' && Array.isArray(keys)) return { type, keys: keys.map(String) };
  return type === 'revoked' ? { type } : undefined;
}
