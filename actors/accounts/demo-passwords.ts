/** ThingsBoard's demo passwords. Everybody knows them, so they open nothing, except on a server that runs the demo. */

export const DEMO_PASSWORDS = { sysadmin: 'sysadmin', tenant: 'tenant', customer: 'customer' } as const;

const ALL: ReadonlySet<string> = new Set(Object.values(DEMO_PASSWORDS));

export function isDemoPassword(password: string): boolean {
  return ALL.has(password);
}
