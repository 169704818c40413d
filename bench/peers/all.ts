/** All peers, by name. */
import { startHono } from './empty-hono.ts';
import { startMosquittoPeer } from './mosquitto.ts';
import type { Peer, PeerName } from './peer.ts';
import { startRedisPeer } from './redis.ts';

/** Rejects with `NotInstalled` if its program is missing. */
export const startPeer: { readonly [name in PeerName]: () => Promise<Peer> } = {
  mosquitto: startMosquittoPeer,
  hono: startHono,
  redis: startRedisPeer,
};
