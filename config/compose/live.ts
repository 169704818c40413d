/** Composes the live feed, the news of attributes, the imports and the kits. */
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { randomAccessToken } from '../../actors/base/access-token.ts';
import { type AttributeNews, createAttributeNews } from '../../actors/claiming/attribute-news.ts';
import { createImports, type Imports } from '../../actors/imports/imports.ts';
import { createKits } from '../../actors/kits/kits.ts';
import type { Kits } from '../../actors/kits/model.ts';
import { createFeed, type Feed } from '../../http/feed.ts';
import type { Core, CoreNeeds } from './core.ts';

export interface Live {
  readonly feed: Feed;
  readonly news: AttributeNews;
  readonly imports: Imports;
  readonly kits: Kits;
  /** The audit trail. Its notes also go to the feed. */
  readonly audit: AuditTrail;
  /** Resumes imports and kits that were under way when the process ended. */
  start(): void;
  stop(): Promise<void>;
}

export function createLive({ clock, log }: CoreNeeds, core: Core, minTokenLength: number): Live {
  const { store, accounts, devices, directory, profiles, secrets } = core;
  const feed = createFeed(clock);
  core.listen(feed.onDeviceEvent);
  const news = createAttributeNews(core.bus);
  core.listen(news.onDeviceEvent);
  const accessToken = randomAccessToken;
  const kits = createKits({ store, devices, customers: accounts.customers, secrets, clock, log });
  const imports = createImports({
    store,
    kits,
    accounts,
    devices,
    directory,
    profiles,
    secrets,
    clock,
    log,
    minTokenLength,
    accessToken,
  });
  return {
    feed,
    news,
    imports,
    kits,
    audit: {
      find: core.audit.find,
      head: core.audit.head,
      lossesOf: core.audit.lossesOf,
      note(note) {
        core.audit.note(note);
        feed.onNote(note);
      },
    },
    start() {
      kits.resume().catch((error: unknown) => log.warn({ err: error }, 'kits could not be resumed'));
      imports.resume().catch((error: unknown) => log.warn({ err: error }, 'imports could not be resumed'));
    },
    async stop() {
      feed.close();
      news.stop();
      await Promise.all([imports.stop(), kits.stop()]);
    },
  };
}
