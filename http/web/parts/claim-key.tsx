/** Keys that pages set on devices (`claimingData`): for how many days, and the field that asks for them. */
import { randomClaimKey } from '../../../actors/base/claim-key.ts';

const DAY_MS = 86_400_000;
const DAYS = 365;
const DAYS_MAX = 36_500;

/** A new key as the attributes that hold it. @param days as a form's field has it; a year when it is no number of days */
export function newClaimingData(nowMs: number, days = '') {
  return { claimingData: { secretKey: randomClaimKey(), expirationTime: expiresAfter(nowMs, days) } };
}

/** The instant after so many days, likewise. */
export const expiresAfter = (nowMs: number, days: string) => nowMs + daysOf(days) * DAY_MS;

function daysOf(text: string): number {
  const days = Number(text);
  return Number.isInteger(days) && days >= 1 && days <= DAYS_MAX ? days : DAYS;
}

export function DaysField({ label }: { label: string }) {
  return (
    <>
      <label for="days">{label}</label>
      <input id="days" name="days" type="number" min={1} max={DAYS_MAX} value={String(DAYS)} />
    </>
  );
}
