/**
 * Where claimd differs from ThingsBoard on purpose, as data: the tables of facts (`facts-*.ts`) point here wherever an
 * answer is not ThingsBoard's, and the table in transports/README.md is made from it (`node dist/test/wire/write-readme.js`).
 *
 * Most have a row in a table of facts, which plays it over the wire; what is not on the wire of a claim (secrets at
 * rest, the audit trail) is here only.
 */

interface Deviation {
  readonly what: string;
  readonly thingsBoard: string;
  readonly claimd: string;
  readonly why: string;
  /** The rule of claiming that says so, where one does. */
  readonly rule?: string;
}

type Sections = Readonly<Record<string, Readonly<Record<string, Deviation>>>>;

export const SECTIONS = {
  'Opening a window': {
    'allowed-veto': {
      what: '`claimingAllowed = false` where claiming is allowed by default',
      thingsBoard: 'ignored',
      claimd: 'forbids opening a window and claiming, also with a server key or a window opened before',
      why: 'an administrator who says no must be heard',
      rule: 'O3',
    },
    'proof-of-possession': {
      what: 'a `secretKey` that begins with `pop1.`, for a device with a registered key',
      thingsBoard: 'a secret like any other',
      claimd: 'a proof of possession, signed by the device; unless its profile takes none',
      why: 'a secret can be copied from a label, the key in a device cannot',
      rule: 'C11',
    },
    'public-key-checked': {
      what: '`claimPublicKey` that is no public key, or in another scope than SERVER_SCOPE',
      thingsBoard: 'an attribute like any other',
      claimd: 'refused when it is set; customers do not set it',
      why: 'whoever sets it relies on it',
      rule: 'C11',
    },
    'allowed-checked': {
      what: '`claimingAllowed` that is no boolean, or in another scope than SERVER_SCOPE',
      thingsBoard: 'accepted, and ignored',
      claimd: 'refused when it is set',
      why: 'the text "false" would leave the device open, and nobody would notice',
      rule: 'O3',
    },
    'window-replaced': {
      what: 'a second request while a window is open',
      thingsBoard: 'silently ignored, even when the window has elapsed',
      claimd: 'replaces it: new secret, new expiry',
      why: 'the device knows its secret best; it can rotate it and start over',
      rule: 'O5',
    },
    'refusal-told': {
      what: 'a refusal (owned already, not allowed, too long)',
      thingsBoard: 'looks like success on every transport',
      claimd:
        'MQTT 5: PUBACK 0x87 with a reason; HTTP: 409 and CoAP: 4.09 with the reason; on any MQTT version a message on `v1/devices/me/claim/response` for whoever subscribed',
      why: 'the device hears the truth',
      rule: 'O6',
    },
    'acknowledged-when-durable': {
      what: 'when it is acknowledged',
      thingsBoard: 'when it is queued',
      claimd: 'when it is on disk',
      why: 'an acknowledged window is never lost',
      rule: 'O6',
    },
    'windows-unlimited': {
      what: 'windows at once',
      thingsBoard: '1000 per node, the rest dropped silently; lost at restart; 24 hours at most',
      claimd: 'no limit, survive restarts, any duration',
      why: 'installers open thousands at once',
      rule: 'O7',
    },
    'wrong-tokens': {
      what: 'an address that shows wrong credentials again and again',
      thingsBoard:
        'nothing by default; with `transport.rate_limits` after 10 it is blocked, with all devices behind it',
      claimd:
        'has to wait after 1,000 in a minute, or after 10 where `transport.rate_limits` is on, but for devices that were let in from there before: CONNACK 0x9F (older versions: 3), 429 with `Retry-After`, 4.29; counted for each transport',
      why: 'behind one address there may be thousands of devices',
    },
    'windows-quota': {
      what: 'a device that opens windows without end',
      thingsBoard: 'no limit by default; past one by the tenant profile: closed, 0x83, 500, 5.00',
      claimd:
        'beyond 600 in a minute refused as `rate-limited`: PUBACK 0x97 on MQTT 5 (acknowledged on older versions), 429 with `Retry-After`, 4.29 with Max-Age',
      why: 'each window is an event that is kept; other devices are not concerned',
    },
    'duration-out-of-range': {
      what: 'a duration beyond the range of instants',
      thingsBoard: 'wraps around, or elapses at once',
      claimd: 'refused as malformed',
      why: 'a window that cannot be stored is not promised',
      rule: 'O4',
    },
    'short-topics': {
      what: '`v2/c`, `v2/c/j`, `v2/c/p`',
      thingsBoard: 'documented, and unknown to its code',
      claimd: 'the same as `v1/devices/me/claim`',
      why: 'devices follow the documentation',
    },
    'coap-same-id': {
      what: 'a CoAP message with the id of one before, and something else in it',
      thingsBoard: 'given the answer of the first for up to 247 s',
      claimd: 'another request',
      why: 'a restarted device uses ids again, and must not hear of a window that nobody opened',
      rule: 'O6',
    },
    'profile-topics': {
      what: 'topics of its own for telemetry and attributes in an MQTT profile',
      thingsBoard: 'looked at before the claim topic: a filter like `#` takes claims away',
      claimd: 'kept in the profile and not looked at: a claim is a claim, and they are unknown topics',
      why: 'telemetry is dropped anyhow, and no filter may take a claim away',
    },
    'standard-json': {
      what: 'payloads, and bodies of the REST API',
      thingsBoard:
        'payloads: also unquoted and single-quoted JSON, comments, bytes that are no UTF-8; both: a byte order mark',
      claimd: 'standard JSON, in UTF-8 without a byte order mark',
      why: 'no known client sends anything else, and all readers agree on its meaning',
    },
    'wrong-type-malformed': {
      what: 'a field of a type that cannot be read (`"durationMs": "abc"`), by MQTT 5',
      thingsBoard: 'DISCONNECT 0x8B (server shutting down)',
      claimd: 'PUBACK 0x99 like any malformed payload, the session stays; QoS 0: DISCONNECT 0x99',
      why: 'the server does not shut down; the payload is at fault',
    },
    'malformed-400': {
      what: 'malformed payload by HTTP or CoAP',
      thingsBoard: "500 with the parser's text or empty; 4.00 or 5.00",
      claimd: '400 with the error envelope; 4.00',
      why: 'the payload is at fault, not the server; nothing of it is repeated',
    },
    'no-answer-503': {
      what: 'no answer to be had (store, overload), by HTTP or CoAP',
      thingsBoard: '500 empty; 5.00',
      claimd: '503 with `Retry-After`; 5.03 with Max-Age',
      why: 'asking again is safe, and the device is told when',
    },
    'too-large': {
      what: 'a message that is too large, by MQTT 5',
      thingsBoard: 'DISCONNECT 0x81 (malformed)',
      claimd: 'DISCONNECT 0x95 (packet too large)',
      why: 'the reason that the specification has for it',
    },
  },
  Confirming: {
    'name-in-any-case': {
      what: 'a device name in another case than its own',
      thingsBoard: '404',
      claimd: 'the device, where only one fits',
      why: 'people type names from labels; two devices that differ in case alone stay two',
      rule: 'C5',
    },
    'name-in-another-spelling': {
      what: 'a device name in another spelling of Unicode than its own (NFC, NFD)',
      thingsBoard: '404, and another device may have it',
      claimd: 'the device; a second one of that name is refused',
      why: 'they look alike, and which one somebody types depends on the machine',
    },
    'no-body': {
      what: 'no request body',
      thingsBoard: '500',
      claimd: 'the same as `{}`',
      why: "ThingsBoard's documentation calls the body optional",
    },
    'malformed-body-400': {
      what: 'a malformed body',
      thingsBoard: '500, errorCode 2',
      claimd: '400, errorCode 31',
      why: 'the body is at fault, not the server',
    },
    'content-type': {
      what: 'a body of another content type',
      thingsBoard: '500, errorCode 2',
      claimd: 'read as JSON',
      why: 'scripts often send none or a wrong one',
    },
    'number-secret': {
      what: 'a secret that is a number with a fraction, or of more than 15 digits',
      thingsBoard: 'its text',
      claimd: 'from a device its text; in a confirm 400: it should be a text',
      why: 'it must not be taken, and counted, for another secret',
    },
    'wrong-secret-keeps-window': {
      what: 'a wrong secret',
      thingsBoard: 'closes the window: any customer can deny the owner',
      claimd: 'leaves it open; counted against whoever sent it, 429 with `Retry-After` past the limit',
      why: 'guessing must hurt only the guesser',
      rule: 'C6',
    },
    'window-bounded': {
      what: 'many customers who guess at one device together',
      thingsBoard: 'the first wrong secret closes the window, for everybody',
      claimd:
        'after 20 wrong ones those who have failed wait, twice as long each time; others can still claim',
      why: 'a short secret must not fall, and the rightful customer must not be locked out',
      rule: 'C6',
    },
    'waiting-counted': {
      what: 'claiming again and again while there is nothing to claim: no window, owned, not allowed, no such device',
      thingsBoard: 'as often as one likes',
      claimd: 'six count as one wrong secret; 429 with `Retry-After` past the limit',
      why: 'who polls without end owns the device the moment its window opens with an empty secret',
      rule: 'C6',
    },
    'closing-instant': {
      what: 'a confirm at the very instant the window closes',
      thingsBoard: 'still good',
      claimd: 'too late: open until just before `closesAt`',
      why: 'an instant belongs to one side',
      rule: 'C8',
    },
    'either-key': {
      what: 'a window and a server key at once',
      thingsBoard: 'the window hides the key',
      claimd: 'either works',
      why: 'a device that opens a window must not void the label on its box',
      rule: 'C3',
    },
    'owned-is-claimed': {
      what: 'an owned device and a wrong secret',
      thingsBoard: 'FAILURE when claim data is left over',
      claimd: 'always CLAIMED',
      why: 'it does not depend on what was left over',
      rule: 'C5',
    },
    'allowed-kept': {
      what: '`claimingAllowed` after a claim',
      thingsBoard: 'always deleted',
      claimd: 'deleted when claiming is not allowed by default',
      why: "as ThingsBoard's documentation has it; elsewhere it is a veto that stands",
      rule: 'C4',
    },
    'forbidden-stays': {
      what: '`claimingAllowed = false` set while somebody owns the device, where claiming is not allowed by default',
      thingsBoard: 'true after it is given back',
      claimd: 'stays false',
      why: 'an administrator who says no must be heard',
      rule: 'R2',
    },
    'one-winner': {
      what: 'two customers at the same instant',
      thingsBoard: '409, or both hear something of success',
      claimd: 'one SUCCESS, the others CLAIMED',
      why: 'never two owners',
      rule: 'C7',
    },
    'confirm-503': {
      what: 'no answer in time',
      thingsBoard: '500 after 30 s',
      claimd: '503 with `Retry-After`, after 5 s at most',
      why: 'asking again is safe, and the caller is told when',
    },
    'claiming-data-checked': {
      what: '`claimingData` that is malformed, elapsed already, in seconds, or in another scope than SERVER_SCOPE',
      thingsBoard:
        'accepted when it is set; each claim is answered 400 with the whole attribute, its secret included',
      claimd: 'refused when it is set, with the reason',
      why: 'the mistake shows where it can be fixed, and no secret is sent back',
    },
    'secrets-digested': {
      what: 'secrets at rest',
      thingsBoard: 'plain text in cache, attribute and audit log',
      claimd: 'keyed digests; `claimingData` sealed for the administrator who set it',
      why: 'a stolen disk claims nothing',
      rule: 'C9',
    },
    'idempotency-key': {
      what: 'a request that is repeated',
      thingsBoard: 'carried out again',
      claimd:
        'with an `Idempotency-Key`: given the answer of the first (and the header `Idempotency-Replayed`), for a day; 422 when the key was used for another request',
      why: 'a lost SUCCESS can be asked for again',
    },
    'uniform-refusals': {
      what: "unknown name, another's device, wrong secret",
      thingsBoard: 'told apart: 404, CLAIMED, FAILURE',
      claimd: 'told apart too; with `security.claim.uniformRefusals` all are FAILURE, and count alike',
      why: 'names need not be disclosed',
    },
    'refusal-header': {
      what: 'why a claim was refused',
      thingsBoard: 'FAILURE or CLAIMED, no more',
      claimd:
        'the same, and unless refusals are uniform the headers `Claim-Refusal` and `Claim-Attempts-Left` say more',
      why: 'people can be told what to do; clients that ignore the headers see no difference',
    },
    'any-name': {
      what: 'a name with `/`, `;`, `%` or a backslash, percent-encoded',
      thingsBoard: 'refused before it is looked at',
      claimd: 'a name like any other',
      why: 'what can be created can be claimed',
    },
    'basic-401': {
      what: '`Authorization: Basic …`',
      thingsBoard: 'a redirect to the login page',
      claimd: '401, errorCode 10',
      why: 'a program that claims has no use for a page',
    },
  },
  'Losing a device': {
    'take-over': {
      what: 'claiming a device that another customer owns, where its profile allows it (`takeOver`, off by default)',
      thingsBoard: 'always `CLAIMED`',
      claimd:
        'with the secret of a window that the device itself opened, or a proof: at once, or pending while the owner may object (400 `FAILURE` with `Claim-Refusal: take-over-pending`)',
      why: 'a device that was sold with its box must not be lost to its buyer because somebody forgot to give it back',
      rule: 'N1',
    },
    'factory-reset': {
      what: '`"reset": true` in the claim message of a device that somebody owns',
      thingsBoard: 'ignored: silently refused, as any claim of an owned device',
      claimd:
        'refused, `reset-not-allowed`; where its profile allows it (`deviceReset`) it ends the ownership, once an hour',
      why: 'whoever holds a device and resets it expects to be able to claim it; one firmware serves both servers',
      rule: 'N4',
    },
  },
  'Giving back': {
    'owner-gives-back': {
      what: 'who may',
      thingsBoard: 'any customer of the tenant',
      claimd: "the owner's users; the tenant's administrator",
      why: "nobody takes another's device away",
      rule: 'R1',
    },
    'others-window-stays': {
      what: 'giving back what nobody owns',
      thingsBoard: 'closes its window, whoever asks',
      claimd: "a customer's changes nothing; the administrator's closes the window",
      why: "nobody closes another's window",
      rule: 'R2',
    },
  },
  Gateways: {
    'gateway-by-admin': {
      what: 'making a device a gateway, which opens windows on others',
      thingsBoard: 'its owner may',
      claimd: "the tenant's administrator alone",
      why: 'a gateway speaks for other devices',
    },
    'gateway-speaks-for': {
      what: 'whom a gateway speaks for',
      thingsBoard: 'any device of its tenant that has no owner, by name',
      claimd:
        "the tenant's own: the same; one that a customer owns or has owned: what it brought up itself and nobody has lost since, and what its owner owns; a profile's `gatewayScope: tenant` widens it",
      why: "a customer with a gateway could claim the tenant's whole stock by naming serial numbers",
      rule: 'O8',
    },
    'gateway-refusal-told': {
      what: 'a device behind it refused, or cannot be created',
      thingsBoard: 'looks like success',
      claimd:
        'MQTT 5: PUBACK 0x87 or 0x80; on any version `v1/gateway/claim/response` tells who subscribed what became of each device',
      why: 'the gateway hears the truth',
      rule: 'O6',
    },
    'gateway-no-answer': {
      what: 'no answer for one of the devices',
      thingsBoard: 'PUBACK 0x80, then closed; a message on `v1/gateway/disconnect`',
      claimd: 'not acknowledged, closed: the gateway sends it again, which is harmless',
      why: 'what may not have happened is not acknowledged',
      rule: 'O6',
    },
    'gateway-qos-0': {
      what: 'QoS 0',
      thingsBoard: 'a stray PUBACK',
      claimd: 'never acknowledged',
      why: 'there is nothing to acknowledge',
    },
    'no-tenant-limits': {
      what: "a tenant's limit of devices",
      thingsBoard: 'by tenant profile, none by default; a gateway hears 0x97',
      claimd:
        'the same for all tenants (`quota.devicesPerTenant`), and one for each gateway; a gateway hears 0x97',
      why: 'there are no tenant profiles here, and a token of a gateway must not fill the disk',
    },
  },
  People: {
    'if-match': {
      what: '`If-Match` on giving back, assigning, unassigning and offering',
      thingsBoard: 'ignored',
      claimd:
        '`"epoch-7"` holds while the owner has changed seven times (`ownerEpoch` of the device); else 412',
      why: 'what was meant for one owner does not meet the next one',
      rule: 'R5',
    },
    'handed-over': {
      what: 'a device that goes from one customer to another',
      thingsBoard: 'the tenant assigns it; or it is given back, and whoever is quicker claims it',
      claimd:
        'the owner offers it (`POST /api/customer/device/{name}/transfer`), the other customer accepts: one event, and nobody else owns it in between',
      why: 'selling a device needs both, and neither the tenant nor luck',
      rule: 'H2',
    },
    'credentials-unread': {
      what: "a customer's `GET /api/device/{id}/credentials`, for a device that it owns",
      thingsBoard: 'the credentials',
      claimd: '403, unless `security.claim.customersReadCredentials` is on',
      why: 'who has read the token can act as the device after giving it back, and take it from its next owner',
      rule: 'O9',
    },
    'credentials-follow-owner': {
      what: 'the credentials of a device whose owner changes',
      thingsBoard: 'stay, so that who has read them acts as the device for ever',
      claimd: 'stay by default; with `onOwnerChange` they rotate, or what they open waits for the tenant',
      why: 'authority must not outlive ownership',
      rule: 'O9',
    },
    'writings-go': {
      what: 'attributes, label and additionalInfo that customers write',
      thingsBoard: 'stay on the device for its next owner',
      claimd: 'go when the owner changes; what the tenant had comes back',
      why: 'the next owner must not read where the last one lived',
      rule: 'R4',
    },
    'tenant-renames': {
      what: "a customer's `POST /api/device` with another name, type or profile",
      thingsBoard: 'changes them',
      claimd: '403',
      why: 'a device is claimed by its name, and its profile says how',
      rule: 'R4',
    },
    'update-keeps-owner': {
      what: '`customerId` in `POST /api/device` for a device that is there',
      thingsBoard: 'changes its owner',
      claimd: 'ignored: assigning and unassigning have routes of their own',
      why: 'a client that sends back what it read an hour ago must not undo a claim',
    },
    delegated: {
      what: 'an API key that makes keys, changes the e-mail of its user or equals, makes administrators of its rank, or asks for tokens of others',
      thingsBoard: 'may do all that its user may',
      claimd: '403',
      why: 'a stolen key must not leave a login behind when it is revoked',
    },
    'short-impersonation': {
      what: 'tokens of another user (`GET /api/user/{id}/token`)',
      thingsBoard: 'as good as a login, and renewable',
      claimd: 'good for 30 minutes and as long as the session that asked; the refresh token is refused',
      why: 'who looks in must not stay in',
    },
    'address-by-password': {
      what: 'another e-mail address of oneself, or of an administrator of the same rank',
      thingsBoard: 'by the token alone',
      claimd: '400 without `currentPassword`, unless the login is fresh (ten minutes)',
      why: 'a stolen token must not take an account over for good',
    },
    'refresh-once': {
      what: 'a refresh token that was used before',
      thingsBoard: 'renews until it expires, also after a logout',
      claimd:
        'is taken once more for 30 s, and ends the session after that; a session ends with its logout, idle, or old',
      why: 'a stolen one must not be good for as long as the thief likes',
    },
    'public-reads': {
      what: 'the anonymous user of a public customer',
      thingsBoard: 'claims, gives back, changes, reads credentials',
      claimd: 'only reads, and no credentials',
      why: 'anybody who knows the link is this user',
    },
    'long-lists': {
      what: '`textSearch` in a list of more than 100,000 devices (a customer: 20,000)',
      thingsBoard: 'looks at every row, for as long as it takes',
      claimd:
        'what begins with the text, from an index; only where nothing does, what contains it among the first 100,000 (20,000); 400 when nothing is found by then. `totalElements` of searches and filters is exact up to 10,000, and at least so many beyond',
      why: 'one search must not stall the claims of everybody else',
    },
    paging: {
      what: 'a page of more than 10,000; sorting by other properties than `createdTime` and the name (title, e-mail)',
      thingsBoard: 'as asked for',
      claimd: '400; and the devices of a customer are always in the order of their names',
      why: 'a page is a range of an index, and every index is a write more for a claim',
    },
    'text-search': {
      what: '`textSearch` in `deviceInfos`',
      thingsBoard: 'also finds types, and titles of customers',
      claimd: 'names and labels, as in all lists; `type` filters, and a customer has a list of its own',
      why: 'it is answered from an index of the device, which a customer’s new title does not change',
    },
    'ignored-parameters': {
      what: '`nameConflictPolicy` of a device or customer, `transportType` of `deviceProfileInfos`',
      thingsBoard: 'UNIQUIFY makes another name where one is taken; only the profiles of that transport',
      claimd: 'ignored like any unknown parameter: a name that is taken is 400, and all profiles are listed',
      why: 'a device is claimed by its name, so nobody but the tenant makes one up',
    },
    'type-is-text': {
      what: 'the `type` of a new device without `deviceProfileId`, or of a new one behind a gateway',
      thingsBoard: 'names its profile, which is made where there is none',
      claimd: 'a text like the label; the profile is the default one',
      why: 'a profile says by which rules a device is claimed; a gateway must not choose among them, or make any',
    },
    'whole-numbers': {
      what: 'a whole number beyond 2^53 in an attribute or in `additionalInfo`',
      thingsBoard: 'exact up to 64 bits, refused beyond',
      claimd: 'the nearest number that JavaScript has',
      why: 'so most readers of JSON take it; what has to be exact is a text',
    },
    'list-defaults': {
      what: 'a list without `page` or `pageSize`',
      thingsBoard: '400',
      claimd: 'the first page, of ten',
      why: 'there is only one thing it can mean',
    },
    markup: {
      what: 'markup in names and titles',
      thingsBoard: '400',
      claimd: 'taken; control characters are refused',
      why: 'it is text: every page escapes it, and `<` in a name is nobody’s fault',
    },
    'hidden-characters': {
      what: 'characters that nobody sees, or that turn the direction (U+200B, U+202E …), in new names, titles and labels',
      thingsBoard: 'taken',
      claimd:
        '400, or refused to the gateway (`name-not-visible`); joiners stay where a script or an emoji needs them. In comparing names these, the kind of a space and the width of letters make no difference',
      why: 'two names that look the same are a trap for whoever claims by name',
    },
    'not-found-text': {
      what: 'the text of a 404',
      thingsBoard: 'names the kind and the id of what was looked for',
      claimd: 'always "Requested item wasn\'t found!", with the same errorCode 32',
      why: 'who may not see a thing hears the same as who asked for nothing',
    },
    'never-activated': {
      what: 'a login by somebody who has not set a password yet',
      thingsBoard: '401, User account is not active',
      claimd:
        '401, Invalid username or password; after a right password of a disabled user it is the other text',
      why: 'who knows no password hears of no account',
    },
    'audit-search': {
      what: 'the audit trail of a device, a customer, a user or an action',
      thingsBoard: 'from an index',
      claimd:
        'looked for among 200,000 entries, from the newest of the time asked for; 400 with the instant from which to go on when nothing is found by then',
      why: 'an entry costs no key of its own, so claims are not slower for it',
    },
    sizes: {
      what: '`additionalInfo` of more than 16 KiB; a profile, or the attributes of a device, of more than 64 KiB',
      thingsBoard: 'taken, up to what a request may have',
      claimd: '400 (attributes: `security.claim.maxAttributeBytes`)',
      why: 'they are written with every change, and read with every list',
    },
    'body-sizes': {
      what: 'the largest body of a request',
      thingsBoard: '16 MiB; from a device 50 MiB',
      claimd:
        '1 MiB (`server.http.max_body_size`), 8 KiB without a token; from a device 64 KiB, telemetry too',
      why: 'a body is in memory until it is whole, and a claim needs 100 bytes',
    },
    active: {
      what: '`active` of a device',
      thingsBoard: 'active within the last ten minutes',
      claimd: 'connected by MQTT to the server that answers, at this moment',
      why: 'no activity is recorded here',
    },
    version: {
      what: '`version` of a device',
      thingsBoard: 'counts the changes',
      claimd: 'null: changes are commands to the device, which need no optimistic lock',
      why: 'two changes at once cannot undo each other',
    },
    'device-with-credentials': {
      what: '`POST /api/device-with-credentials` with an id',
      thingsBoard: 'changes both',
      claimd: 'refused: it would be two changes, and one of them could fail',
      why: 'one command, one step',
    },
    'audit-trail': {
      what: 'the audit trail',
      thingsBoard: 'claims that succeeded, attributes with their values, no windows',
      claimd:
        'also windows opened, closed and elapsed, and refused claims with their reason; of attributes their names, of customers their ids',
      why: 'people ask afterwards who claimed what; values may be secrets, titles change, and the trail does not',
      rule: 'C10',
    },
  },
  MQTT: {
    'qos-2': {
      what: 'QoS 2',
      thingsBoard: 'answered with PUBACK',
      claimd: 'PUBREC, PUBREL, PUBCOMP',
      why: 'as the specification says',
    },
    'keep-alive': {
      what: 'keep-alive',
      thingsBoard: 'not enforced',
      claimd: 'enforced, at one and a half times',
      why: 'as the specification says',
    },
    'session-present': {
      what: 'Session Present',
      thingsBoard: '1 to whoever asks for a kept session, and there is none',
      claimd: '0',
      why: 'as the specification says',
    },
    'no-extra-disconnect': {
      what: "after a refusing CONNACK, and after a client's DISCONNECT",
      thingsBoard: 'a DISCONNECT',
      claimd: 'nothing',
      why: 'as the specification says',
    },
    'password-alone': {
      what: 'a password without a user name, on 3.1.1',
      thingsBoard: 'CONNACK 5',
      claimd: 'closed without a word',
      why: 'as the specification says: the packet is malformed',
    },
    'connack-terms': {
      what: "the terms in version 5's CONNACK",
      thingsBoard: 'none',
      claimd: 'Receive Maximum, Maximum Packet Size, Topic Alias Maximum and what is not offered',
      why: 'a client can only keep to what it is told',
    },
    'response-topic': {
      what: 'Response Topic and Correlation Data of version 5',
      thingsBoard: 'ignored',
      claimd:
        'the answer goes there; a topic to which the device may not subscribe is refused (PUBACK 0x87, wildcards 0x90)',
      why: 'who names a topic waits there',
    },
    'topic-of-one-answer': {
      what: 'subscribing to the topic of one answer (`…/response/17`)',
      thingsBoard: 'refused; only the filter with `+` is granted',
      claimd: 'granted, 100 of them at most',
      why: 'so clients ask that take the topic of their answer for a topic',
    },
    'no-sessions-kept': {
      what: 'session expiry, wills, retained messages',
      thingsBoard: 'ignored',
      claimd: 'ignored',
      why: 'nothing is routed between devices',
    },
    'no-open-limit': {
      what: 'too many connections being opened, by tenant or device',
      thingsBoard: 'CONNACK 3 or 0x9F (limits of the tenant profile, none by default)',
      claimd: 'no limit per tenant; the connection that has waited longest without a token is closed',
      why: 'there are no tenant profiles here',
    },
    'foreign-addresses': {
      what: 'a new user with the e-mail address of somebody in another tenant',
      thingsBoard: '400, which tells that the address is known',
      claimd: 'made like any other, and refused the address at its activation (system administrators: 400)',
      why: 'a tenant should not learn who the customers of another one are',
    },
    'links-in-mails': {
      what: 'what links in mails begin with',
      thingsBoard: 'the address that the request was sent to, unless an administrator forbids that',
      claimd: '`HTTP_BASE_URL`, without which no mails are sent',
      why: 'whoever sends a request with another Host could have a link to an own server mailed to the user',
    },
    'forgotten-passwords': {
      what: 'a link that sets another password',
      thingsBoard: 'good for a day; the look-up of the address shows in the time of the answer',
      claimd:
        'good for an hour (`security.user.password_reset_ttl`), once, until a newer one; the address is looked up when the mail is sent',
      why: 'a mailbox is read by others some day; who has an account is nobody else’s business',
    },
    passwords: {
      what: 'new passwords of people',
      thingsBoard: '6 to 72 characters; rules of composition and expiry where an administrator sets them',
      claimd:
        '12 to 72 characters (`security.password.min_length`), none of the 3,000 commonest, none that is made of names of the product, the tenant and the user; no rules of composition, no expiry. `GET /api/noauth/userPasswordPolicy` says so',
      why: 'length is what keeps a password from being guessed; rules of composition make people choose worse ones',
    },
    cors: {
      what: 'pages of other origins (CORS)',
      thingsBoard: 'any origin may use `/api/**`, with credentials',
      claimd: 'none by default; those in `server.cors.origins`, and `*` without credentials',
      why: 'a page that nobody listed has no business with an API that moves ownership',
    },
    'system-info': {
      what: '`version` of `GET /api/system/info`',
      thingsBoard: 'its own, also with four numbers (4.3.1.3)',
      claimd: '4.2.0, the version of the API that is spoken here; `artifact` says `claimd`',
      why: 'the Dart client, and so the mobile application, reads three numbers and refuses what is before 3.9',
    },
    'mqtt-websocket': {
      what: 'MQTT over WebSocket',
      thingsBoard: 'no',
      claimd: 'at `/mqtt` on the HTTP port',
      why: 'some networks let only HTTP through; browsers speak nothing else',
    },
  },
  'Not here': {
    telemetry: {
      what: 'telemetry, client attributes, rule engine',
      thingsBoard: 'the main thing',
      claimd:
        'accepted and dropped (by HTTP and CoAP: `transport.telemetry.accept`); shared attributes are answered, in JSON alone',
      why: 'claimd is about ownership',
    },
    elsewhere: {
      what: 'dashboards, assets, alarms, rule chains, relations, entity queries, time series by REST and WebSocket, user settings, …',
      thingsBoard: 'yes',
      claimd:
        '404, errorCode 32; 400 where an id would stand in the path (`/api/tenant/dashboards`, `/api/user/settings`), and for attributes of anything but a DEVICE. What the mobile application asks at its start (`/api/dashboard/home/info`, `/api/mobile`) is answered as where none is set up',
      why: 'claimd is about ownership; and that application logs out after a 404 there',
    },
    calls: {
      what: 'calls (RPC) to and by devices',
      thingsBoard:
        'carried out, or answered when their time is up: 504, 409, 408, 5.03, by MQTT `{"error":"timeout"}`',
      claimd:
        'the same answer, at once; a device that waits for calls hears none, and by HTTP waits five seconds at most (`…/attributes/updates` likewise)',
      why: 'claimd is about ownership; nobody is to wait for what does not come',
    },
    provisioning: {
      what: 'devices that provision themselves (`/provision/request`)',
      thingsBoard: 'yes',
      claimd: 'no: the tenant creates devices',
      why: 'claimd is about ownership',
    },
    'other-transports': {
      what: 'LwM2M and SNMP: their profiles and credentials',
      thingsBoard: 'yes',
      claimd: '400',
      why: 'neither has a way to claim, in ThingsBoard either',
    },
    'oauth2-templates': {
      what: 'templates of identity providers (`/api/oauth2/config…`)',
      thingsBoard: 'addresses, scopes and mappers of known providers, to begin with',
      claimd: '404; `issuer` is typed in, and the rest is read from its metadata',
      why: 'there is nothing to fill in that a provider does not say of itself',
    },
    'oauth2-domains': {
      what: 'domains of identity providers (`/api/domain…`)',
      thingsBoard: 'which providers have a button is chosen by the domain that the request names',
      claimd:
        '404; those of the system have a button on every login page, those of a tenant a link of their own',
      why: 'a header that anybody may write decides nothing',
    },
    'coap-dtls': {
      what: 'CoAP over DTLS (`coaps`, X.509)',
      thingsBoard: 'yes',
      claimd: 'no',
      why: 'there is no maintained library',
    },
  },
} as const satisfies Sections;

/** Names of deviations, over all sections. */
export type DeviationId = {
  [Section in keyof typeof SECTIONS]: keyof (typeof SECTIONS)[Section];
}[keyof typeof SECTIONS];

/** The table in transports/README.md. */
export function deviationTable(): string {
  const sections: Sections = SECTIONS;
  const rows = Object.entries(sections).flatMap(([title, deviations]) => [
    `| **${title}** | | | |`,
    ...Object.values(deviations).map(
      ({ what, thingsBoard, claimd, why }) =>
        `| ${[what, thingsBoard, claimd, why].map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`,
    ),
  ]);
  return ['| | ThingsBoard | claimd | Why |', '|---|---|---|---|', ...rows].join('\n');
}
