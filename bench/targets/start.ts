/** The target that the settings ask for: a server of our own, several of them, or one that runs already. */
import type { Settings } from '../settings.ts';
import { startCluster } from './cluster.ts';
import { startOwn } from './own.ts';
import { remoteTarget } from './remote.ts';
import type { Target } from './target.ts';

export interface Needs {
  /** Options of the server that the scenario is about; those of whoever runs it win. */
  readonly env?: { readonly [name: string]: string };
  /** Keeps the ports over restarts. */
  readonly fixedPorts?: boolean;
}

export async function startTarget(settings: Settings, needs: Needs): Promise<Target> {
  if (settings.target !== undefined) return remoteTarget(settings.target);
  const env = { ...needs.env, ...settings.serverEnv };
  if (settings.nodes > 1) return startCluster(settings.nodes, env);
  return startOwn({ store: settings.store, env, ...(needs.fixedPorts === true ? { fixedPorts: true } : {}) });
}
