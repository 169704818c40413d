/**
 * The link on a device's label: it opens the claim page with name and key filled in. Both are in the fragment, which
 * browsers send to no server, so that the key is in no log.
 */

/** @param origin where people reach this server, e.g. `https://claim.example.org` */
export function claimLink(origin: string, deviceName: string, secretKey: string): string {
  return `${origin}/claim#device=${encodeURIComponent(deviceName)}&key=${encodeURIComponent(secretKey)}`;
}
