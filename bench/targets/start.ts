/** Starts the target that the settings ask for: one server, several nodes, or none for one that is running. */
import type { Settings } from '../settings.ts';
import { remoteTarget } from './remote.ts';
import type { Target } from './target.ts';

export interface Needs {
  /** Options of the server that the scenario needs; `--server` overrides them. */
  readonly env?: { readonly [name: string]: string };
  /** Keeps the ports over restarts. */
  readonly fixedPorts?: boolean;
  /** The folder of another build of this project, whose server it is to be. */
  readonly folder?: string;
}

export async function startTarget(settings: Settings, needs: Needs): Promise<Target> {
  if (settings.target !== undefined) return remoteTarget(settings.target);
  // Loaded only now: the package `claimbench` has no server to start.
  const { startOwn } = await import('./own.ts');
  const { startCluster } = await import('./cluster.ts');
  const env = { ...needs.env, ...settings.serverEnv };
  if (settings.nodes > 1) return startCluster(settings.nodes, env);
  const { fixedPorts = false, folder } = needs;
  return startOwn({ store: settings.store, env, fixedPorts, folder });
}
