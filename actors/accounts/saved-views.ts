/** Lists of devices that people come back to, each with its filters under a name that its user gave. */
import type { UserId } from '../base/ids.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

/** What the list of devices is asked for, as its page has it. */
interface SavedView {
  readonly name: string;
  readonly search: string;
  readonly state: string;
  readonly active: string;
  readonly sort: string;
}

export interface SavedViews {
  /** In the order in which they were made. */
  of(user: UserId): Promise<readonly SavedView[]>;
  /** One of the same name is replaced. `too-many`: the user has as many as it may, and nothing was changed. */
  save(user: UserId, view: SavedView): Promise<readonly SavedView[] | 'too-many'>;
  /** Resolves to whether there was one of this name. */
  remove(user: UserId, name: string): Promise<boolean>;
  /** Removes all of a user. */
  forget(user: UserId): Promise<void>;
}

/** Views of one user. */
export const SAVED_VIEWS_MAX = 20;

export function createSavedViews(store: Pick<Store, 'records' | 'swap'>): SavedViews {
  const records = openRecords<{ readonly views: readonly SavedView[] }>(store, 'saved-views');
  const of = async (user: UserId) => (await records.get(user))?.views ?? [];

  return {
    of,

    async save(user, view) {
      let tooMany = false;
      const stored = await records.update(user, (there) => {
        const views = there?.views ?? [];
        const isNew = views.every(({ name }) => name !== view.name);
        tooMany = isNew && views.length >= SAVED_VIEWS_MAX;
        if (tooMany) return there;
        return {
          views: isNew ? [...views, view] : views.map((one) => (one.name === view.name ? view : one)),
        };
      });
      return tooMany ? 'too-many' : (stored?.views ?? []);
    },

    async remove(user, name) {
      let found = false;
      await records.update(user, (there) => {
        const views = there?.views.filter((view) => view.name !== name);
        found = views !== undefined && views.length < (there?.views.length ?? 0);
        return found && views !== undefined ? { views } : there;
      });
      return found;
    },

    forget: (user) => records.remove(user),
  };
}
