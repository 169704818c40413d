/** Composes the live feed, the news of attributes, the imports, the batches and the kits. */
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { randomAccessToken } from '../../actors/base/access-token.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { Log } from '../../actors/base/log.ts';
import { type Batches, createBatches } from '../../actors/batches/batches.ts';
import { type AttributeNews, createAttributeNews } from '../../actors/claiming/attribute-news.ts';
import { createImports, type Imports } from '../../actors/imports/imports.ts';
import { createKits } from '../../actors/kits/kits.ts';
import type { Kits } from '../../actors/kits/model.ts';
import { createFeed, type Feed } from '../../http/feed.ts';
import { createBatchAct } from '../../http/routes/batch-acts.ts';
import { createMayGoOn } from '../../http/routes/may-go-on.ts';
import type { Core, CoreNeeds } from './core.ts';

/** What takes longer than one request. */
interface Jobs {
  readonly imports: Imports;
  readonly batches: Batches;
  readonly kits: Kits;
}

type JobNeeds = Pick<
  Core,
  'store' | 'accounts' | 'devices' | 'directory' | 'profiles' | 'secrets' | 'refusals'
> & {
  readonly clock: Clock;
  readonly log: Log;
  readonly minTokenLength: number;
  readonly audit: Pick<AuditTrail, 'note' | 'noted'>;
};

export function createJobs(needs: JobNeeds): Jobs {
  const kits = createKits({
    ...needs,
    customers: needs.accounts.customers,
    onRefused({ tenantId, customerId }, deviceId, reason) {
      needs.refusals.count({ tenantId, customerId, deviceId, reason, by: 'kit' });
    },
  });
  const mayGoOn = createMayGoOn(needs.accounts);
  return {
    kits,
    imports: createImports({ ...needs, kits, mayGoOn, accessToken: randomAccessToken }),
    batches: createBatches({ ...needs, act: createBatchAct(needs), mayGoOn }),
  };
}

/** An audit trail whose notes also go to the feed. */
export function alsoTold(audit: AuditTrail, feed: Pick<Feed, 'onNote'>): AuditTrail {
  return {
    noted: audit.noted,
    noteOnce: audit.noteOnce,
    find: audit.find,
    all: audit.all,
    head: audit.head,
    days: audit.days,
    lossesOf: audit.lossesOf,
    note(note) {
      audit.note(note);
      feed.onNote(note);
    },
  };
}

export interface Live extends Jobs {
  readonly feed: Feed;
  readonly news: AttributeNews;
  /** The audit trail. Its notes also go to the feed. */
  readonly audit: AuditTrail;
  /** Resumes imports, batches and kits that were under way when the process ended; and those of processes that died since. */
  start(): void;
  stop(): Promise<void>;
}

const TAKE_OVER_MS = 60_000;

export function createLive({ clock, log }: CoreNeeds, core: Core, minTokenLength: number): Live {
  const feed = createFeed(clock);
  core.listen(feed.onDeviceEvent);
  const news = createAttributeNews(core.bus);
  core.listen(news.onDeviceEvent);
  const audit = alsoTold(core.audit, feed);
  const { kits, imports, batches } = createJobs({ ...core, audit, clock, log, minTokenLength });
  let cancel = () => {};
  function takeOverFromTimeToTime(): void {
    cancel = clock.after(TAKE_OVER_MS, () => {
      kits.takeOver().catch((error: unknown) => log.warn({ err: error }, 'kits could not be resumed'));
      batches.takeOver().catch((error: unknown) => log.warn({ err: error }, 'batches could not be resumed'));
      imports.takeOver().catch((error: unknown) => log.warn({ err: error }, 'imports could not be resumed'));
      takeOverFromTimeToTime();
    });
  }
  return {
    feed,
    news,
    imports,
    batches,
    kits,
    audit,
    start() {
      kits.resume().catch((error: unknown) => log.warn({ err: error }, 'kits could not be resumed'));
      batches.resume().catch((error: unknown) => log.warn({ err: error }, 'batches could not be resumed'));
      imports.resume().catch((error: unknown) => log.warn({ err: error }, 'imports could not be resumed'));
      takeOverFromTimeToTime();
    },
    async stop() {
      cancel();
      feed.close();
      news.stop();
      await Promise.all([imports.stop(), batches.stop(), kits.stop()]);
    },
  };
}
