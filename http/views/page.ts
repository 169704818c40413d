/** A page of a list. */
import { z } from 'zod';
import type { Page } from '../../actors/fleet/devices.ts';

export function pageView<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item),
    totalPages: z.int(),
    totalElements: z.int(),
    hasNext: z.boolean(),
  });
}

export function viewPage<Item, View>(
  page: Page<Item>,
  query: { readonly page: number; readonly pageSize: number },
  view: (item: Item) => View,
) {
  return {
    data: page.items.map(view),
    totalPages: Math.ceil(page.total / query.pageSize),
    totalElements: page.total,
    hasNext: (query.page + 1) * query.pageSize < page.total,
  };
}
