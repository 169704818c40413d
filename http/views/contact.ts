/** The postal contact of customers and tenants. */
import type { Contact } from '../../actors/accounts/accounts.ts';
import { optional } from './parts.ts';

export const contact = {
  country: optional,
  state: optional,
  city: optional,
  address: optional,
  address2: optional,
  zip: optional,
  phone: optional,
};

export function postal({ country, state, city, address, address2, zip, phone }: Contact) {
  return { country, state, city, address, address2, zip, phone };
}
