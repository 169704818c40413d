/** ThingsBoard's demo data. Its passwords and access tokens are public: use it only for trying out. */
import { DEMO_PASSWORDS } from '../../actors/accounts/demo-passwords.ts';

export const SYSADMIN = { email: 'sysadmin@thingsboard.org', demoPassword: DEMO_PASSWORDS.sysadmin } as const;

const user = (name: string) => ({ email: `${name}@thingsboard.org`, password: DEMO_PASSWORDS.customer });
const device = (
  name: string,
  accessToken: string,
  customer: string | null = null,
  { type = 'default', description = null }: { type?: string; description?: string | null } = {},
) => ({ name, accessToken, customer, type, description });

export const DEMO = {
  tenantTitle: 'Tenant',
  tenantAdmin: { email: 'tenant@thingsboard.org', password: DEMO_PASSWORDS.tenant },
  customers: [
    { title: 'Customer A', users: [user('customer'), user('customerA')] },
    { title: 'Customer B', users: [user('customerB')] },
    { title: 'Customer C', users: [user('customerC')] },
  ],
  devices: [
    device('Test Device A1', 'A1_TEST_TOKEN', 'Customer A'),
    device('Test Device A2', 'A2_TEST_TOKEN', 'Customer A'),
    device('Test Device A3', 'A3_TEST_TOKEN', 'Customer A'),
    device('Test Device B1', 'B1_TEST_TOKEN', 'Customer B'),
    device('Test Device C1', 'C1_TEST_TOKEN', 'Customer C'),
    device('DHT11 Demo Device', 'DHT11_DEMO_TOKEN', null, {
      description: 'For sample programs that read a DHT11 temperature and humidity sensor',
    }),
    device('Raspberry Pi Demo Device', 'RASPBERRY_PI_DEMO_TOKEN', null, {
      description: 'For sample programs that run on a Raspberry Pi',
    }),
    device('Thermostat T1', 'T1_TEST_TOKEN', null, { type: 'thermostat' }),
    device('Thermostat T2', 'T2_TEST_TOKEN', null, { type: 'thermostat' }),
  ],
} as const;

/** Everybody in it, with their passwords. */
export const DEMO_PEOPLE: readonly { readonly email: string; readonly password: string }[] = [
  { email: SYSADMIN.email, password: SYSADMIN.demoPassword },
  DEMO.tenantAdmin,
  ...DEMO.customers.flatMap(({ users }) => users),
];
