/**
 * `If-Match` on the requests that change a device's owner (rule R5). A device's entity tag is its owner epoch,
 * `"epoch-7"`: not its content, which others may change meanwhile.
 */
import type { InEpoch } from '../../actors/device/messages.ts';

/** Digits that JavaScript holds exactly. */
const EPOCH_TAG = /^"epoch-(0|[1-9]\d{0,14})"$/;

/**
 * The epochs that a header names. `*` means any, as no header does; a tag of another kind (a weak one too, RFC 9110 §13.1.1)
 * names none, so it never holds.
 */
export function inEpochs(header: string | undefined): InEpoch {
  if (header === undefined || header.trim() === '*') return {};
  const epochs = header.split(',').flatMap((tag) => {
    const [, digits] = EPOCH_TAG.exec(tag.trim()) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  return { inEpochs: epochs };
}
