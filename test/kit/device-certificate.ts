/** A device's certificate (P-256, signed by itself) and its private key, so that a test can sign as that device. */
import { createPrivateKey } from 'node:crypto';

/** Base64 of the DER. */
export const DEVICE_CERTIFICATE =
  'MIIBczCCARmgAwIBAgIUY6p0XlwCN4+PeA50Ms4Vf6sME38wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbG9jazAeFw0yNjEx' +
  'MjgyMTQ1MTBaFw0zNjExMjUyMTQ1MTBaMA8xDTALBgNVBAMMBGxvY2swWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARnaqof' +
  'WL83Ti7Um3FkJ8VyhrQgpCh4s5lDBKomLX/U9G0H9sWWQUpigcDMf84T2v4LL0hBmZAhhGFQeUMuSOaco1MwUTAdBgNVHQ4E' +
  'FgQU7wfzd8X8y1a5cmai0UQ5eIFb8/kwHwYDVR0jBBgwFoAU7wfzd8X8y1a5cmai0UQ5eIFb8/kwDwYDVR0TAQH/BAUwAwEB' +
  '/zAKBggqhkjOPQQDAgNIADBFAiAcFvht8NluYuP0WfY6Q34RF4UkJbRiG0x9nkTZgm5kfQIhAKjn8K0ohgVNLUYH52NxuWwJ' +
  'peWhrjercFqoMnVX06kV';

const PKCS8 =
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpiEHMIU5zuPpLjM2YPpKGuwCy5e3Wo+0ZSxwhF9/x32hRANC' +
  'AARnaqofWL83Ti7Um3FkJ8VyhrQgpCh4s5lDBKomLX/U9G0H9sWWQUpigcDMf84T2v4LL0hBmZAhhGFQeUMuSOac';

export const CERTIFIED_KEY = createPrivateKey({
  key: Buffer.from(PKCS8, 'base64'),
  format: 'der',
  type: 'pkcs8',
});
