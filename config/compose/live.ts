/** Composes the live feed and the imports. */
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { randomAccessToken } from '../../actors/base/access-token.ts';
import { createImports, type Imports } from '../../actors/imports/imports.ts';
import { createFeed, type Feed } from '../../http/feed.ts';
import type { Core, CoreNeeds } from './core.ts';

export interface Live {
  readonly feed: Feed;
  readonly imports: Imports;
  /** The audit trail. Its notes also go to the feed. */
  readonly audit: AuditTrail;
  /** Resumes imports that were running when the process ended. */
  start(): void;
  stop(): Promise<void>;
}

export function createLive({ clock, log }: CoreNeeds, core: Core): Live {
  const { store, accounts, devices, directory, profiles, secrets } = core;
  const feed = createFeed(clock);
  core.listen(feed.onDeviceEvent);
  const accessToken = randomAccessToken;
  const imports = createImports({
    store,
    accounts,
    devices,
    directory,
    profiles,
    secrets,
    clock,
    log,
    accessToken,
  });
  return {
    feed,
    imports,
    audit: {
      find: core.audit.find,
      head: core.audit.head,
      note(note) {
        core.audit.note(note);
        feed.onNote(note);
      },
    },
    start() {
      imports.resume().catch((error: unknown) => log.warn({ err: error }, 'imports could not be resumed'));
    },
    async stop() {
      feed.close();
      await imports.stop();
    },
  };
}
