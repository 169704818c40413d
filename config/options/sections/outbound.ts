/** Requests of this server to other people's: where they may go, and the hook that is asked before a claim is final. */
import { parseSigningSecret } from '../../../actors/outbound/signature.ts';
import { flag, millis, section, text } from './declare.ts';

export const outbound = section('Requests to other servers', {
  allowedNetworks: text({
    key: 'outbound.allowedNetworks',
    env: 'OUTBOUND_ALLOWED_NETWORKS',
    default: undefined,
    why: 'Networks, separated by commas (10.1.0.0/16), to which this server may send requests although they are not public. By default it sends none to private, local and reserved addresses: they would be a way into the network that it stands in.',
  }),
  allowHttp: flag({
    key: 'outbound.allowHttp',
    env: 'OUTBOUND_ALLOW_HTTP',
    default: false,
    why: 'Whether such requests may go over http: too, unencrypted.',
  }),
});

export const policyHook = section('Policy hook', {
  url: text({
    key: 'security.claim.policyHook.url',
    env: 'SECURITY_CLAIM_POLICY_HOOK_URL',
    default: undefined,
    secret: 'in-url', // many hooks are protected by a key in the query
    why: 'URL that is asked, by a signed POST, before a claim is final. With its yes it may give the device server attributes. Without an answer in time there is no claim. By default nobody is asked.',
  }),
  secrets: text({
    key: 'security.claim.policyHook.secret',
    env: 'SECURITY_CLAIM_POLICY_HOOK_SECRET',
    default: undefined,
    parse: (secrets) => (hookKeysOf(secrets) === undefined ? undefined : secrets),
    expected:
      'whsec_ and the base64 of 24 to 64 bytes; two of them, separated by a comma, while it is changed',
    secret: true,
    why: 'Secret that signs the requests to the policy hook, as Standard Webhooks says.',
  }),
  timeoutMs: millisUpTo(5_000, {
    key: 'security.claim.policyHook.timeout',
    env: 'SECURITY_CLAIM_POLICY_HOOK_TIMEOUT',
    default: 2_000,
    min: 100,
    why: 'Time for a whole request to the policy hook.',
  }),
});

/** The keys in one or two secrets; undefined if one of them is none. */
export function hookKeysOf(secrets: string): readonly Buffer[] | undefined {
  const keys = secrets.split(',').map((secret) => parseSigningSecret(secret.trim()));
  const found = keys.filter((key) => key !== undefined);
  return found.length === keys.length && keys.length <= 2 ? found : undefined;
}

function millisUpTo(max: number, fields: Parameters<typeof millis>[0]) {
  return { ...millis(fields), max };
}
