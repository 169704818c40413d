/** A text as a QR code, for a phone that is at hand. */
import { raw } from 'hono/html';
import { renderSVG } from 'uqr';

export function Qr({ text, label = 'QR code' }: { text: string; label?: string }) {
  return (
    <div class="qr" role="img" aria-label={label}>
      {raw(renderSVG(text, { border: 2 }).replace('<svg ', '<svg aria-hidden="true" '))}
    </div>
  );
}
