/**
 * What the browser's part of the claim page says: `islands/claim.ts` and `islands/camera.ts` get it as JSON in the page, in
 * the page's language. `{…}` is what they fill in.
 */
export type ClaimScriptWords = Readonly<
  Record<
    | 'claiming'
    | 'waiting'
    | 'left'
    | 'waitedInVain'
    | 'stopped'
    | 'offline'
    | 'away'
    | 'gaveUp'
    | 'readAs'
    | 'scan'
    | 'stopCamera'
    | 'point'
    | 'loading'
    | 'wasRead'
    | 'foreign'
    | 'noCamera',
    string
  >
>;
