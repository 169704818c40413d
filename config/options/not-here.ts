/**
 * Variables of ThingsBoard that change what a server does or how safe it is, and that have no counterpart here. An operator who
 * brings them along hears so at the start: to be left without a protection silently is worse than to be left without it.
 */

interface NotHere {
  /** As ThingsBoard reads it. */
  readonly env: string;
  /** With these values nothing is missed. */
  readonly harmless: readonly string[];
  readonly instead: string;
}

const OFF = ['false', '0', ''];

const NOT_HERE: readonly NotHere[] = [
  {
    env: 'ACTORS_MAX_CONCURRENT_SESSION_PER_DEVICE',
    harmless: ['1', ''],
    instead: 'a device has one MQTT session at a time: a newer one ends the older',
  },
  {
    env: 'MQTT_PROXY_PROTOCOL_ENABLED',
    harmless: OFF,
    instead:
      'the PROXY protocol is not spoken: connections behind such a proxy fail, or count as one address',
  },
  {
    env: 'COAP_DTLS_ENABLED',
    harmless: OFF,
    instead: 'CoAP has no DTLS here: tokens travel readable',
  },
  {
    env: 'HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION',
    harmless: [''],
    instead: 'bodies are bounded by HTTP_MAX_BODY_SIZE',
  },
  {
    env: 'HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION',
    harmless: [''],
    instead: 'bodies of devices are bounded by HTTP_TRANSPORT_MAX_BODY_SIZE',
  },
  {
    env: 'TB_SERVER_REST_LIMITS_TENANT_ENABLED',
    harmless: OFF,
    instead: 'requests are not limited per tenant',
  },
  {
    env: 'TB_SERVER_REST_LIMITS_CUSTOMER_ENABLED',
    harmless: OFF,
    instead: 'requests are not limited per customer; wrong secrets and logins are, see the options',
  },
  {
    env: 'SSL_CREDENTIALS_TYPE',
    harmless: ['PEM', ''],
    instead: 'certificates are PEM files (SSL_PEM_CERT, SSL_PEM_KEY)',
  },
  {
    env: 'MQTT_SSL_CREDENTIALS_TYPE',
    harmless: ['PEM', ''],
    instead: 'certificates are PEM files (MQTT_SSL_PEM_CERT, MQTT_SSL_PEM_KEY)',
  },
  {
    env: 'AUDIT_LOG_MASK_DEVICE',
    harmless: ['W', ''],
    instead: 'the audit trail has all that changes a device, and no reads',
  },
];

/** One sentence for each variable that is set and asks for something that is not here. */
export function notHere(env: Readonly<Record<string, string | undefined>>): string[] {
  return NOT_HERE.filter(({ env: name, harmless }) => {
    const value = env[name];
    return value !== undefined && !harmless.includes(value.trim());
  }).map(({ env: name, instead }) => `${name} is set, and has no effect: ${instead}`);
}
