/** Access tokens for devices that were given none: 20 letters and digits, as ThingsBoard makes them; 119 bits. */
import { randomText } from './random-text.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 20;

export function randomAccessToken(): string {
  return randomText(ALPHABET, LENGTH);
}
