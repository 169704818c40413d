/** What the claim page says, in one place. The browser's part gets its own from here too, as JSON in the page. */

export const CLAIM_WORDS = {
  title: 'Claim a device',
  lead: 'Make it yours with the name and the key on its label.',
  scanned: 'From the label',
  typeInstead: 'Type it instead',
  button: 'Claim',
  device: 'Device name',
  deviceHint: 'As it is printed on the label, for example “Thermostat T1”.',
  key: 'Key',
  keyHint: 'The secret on the label. Capitals and dashes do not matter where it is four groups of four.',
  scan: 'Scan the label',
  camera: 'Camera',
  wholeBox: 'A code for a whole box?',
  yours: 'It is yours',
  since: 'yours since',
  nameButton: 'Save',
  goOn: 'Go on',
  seeIt: 'See the device',
  another: 'Claim another',
  thenClaim: 'Then claim it here again.',
  waitTitle: 'Waiting for the device',
  stopWaiting: 'Stop waiting',
} as const;

/** For `islands/claim.ts` and `islands/camera.ts`. `{…}` stands for what they fill in. */
export const CLAIM_SCRIPT_WORDS = {
  claiming: 'One moment…',
  waiting: 'Still waiting. This page claims the device as soon as it opens.',
  left: '{time} left',
  waitedInVain: 'The device did not open its window. Press its button, then claim it again.',
  stopped: 'Not waiting any more.',
  offline: 'You are offline. Nothing is lost: it goes on as soon as there is a connection.',
  away: 'The server cannot be reached just now. Nothing is lost: the page tries again by itself.',
  gaveUp: 'It still does not work. Your key is kept in this page: try again later.',
  readAs: 'Read as {key}',
  scan: 'Scan the label',
  stopCamera: 'Stop the camera',
  point: 'Point the camera at the code on the label.',
  loading: 'The camera is getting ready…',
  wasRead: 'The label was read.',
  foreign:
    'This is another code, not that of a device: “{text}”. Look for the code with the device’s name beside it.',
  noCamera: 'The camera cannot be used. Type the name and the key instead.',
} as const;
export type ClaimScriptWords = Readonly<Record<keyof typeof CLAIM_SCRIPT_WORDS, string>>;

export const ADMIN_WORDS = {
  title: 'Find a device by its label',
  lead: 'You are signed in as an administrator, who does not claim devices. Here is the way to the page of one.',
  button: 'Open its page',
  notFound: (name: string) => `Nothing here is called “${name}”.`,
  system:
    'You are signed in as the system administrator, who has no devices. To claim this one, sign out and sign in with the account that it shall belong to.',
} as const;
