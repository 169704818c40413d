/** Claims a device: node claim.js URL E-MAIL PASSWORD DEVICE SECRET */
import { randomUUID } from 'node:crypto';

const ATTEMPTS = 5;

/** Asks again after 503, 429, and when no answer came. */
async function post(url: string, body: object, headers: Record<string, string>): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    let waitSeconds = 1;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      if (![429, 503].includes(answer.status) || attempt === ATTEMPTS) return answer;
      waitSeconds = Number(answer.headers.get('Retry-After') ?? 1);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, waitSeconds * 1000));
  }
}

type Problem = { message: string };

async function claim(url: string, email: string, password: string, device: string, secret: string) {
  const login = await post(`${url}/api/auth/login`, { username: email, password }, {});
  const tokens = (await login.json()) as { token: string } | Problem;
  if ('message' in tokens) return tokens.message;

  const answer = await post(
    `${url}/api/customer/device/${encodeURIComponent(device)}/claim`,
    { secretKey: secret },
    // One key for all attempts: an answer that was lost is given again.
    { 'X-Authorization': `Bearer ${tokens.token}`, 'Idempotency-Key': randomUUID() },
  );
  const told = (await answer.json()) as { response: 'SUCCESS' } | 'FAILURE' | 'CLAIMED' | Problem;
  if (typeof told === 'string') return `${told} ${answer.headers.get('Claim-Refusal') ?? ''}`.trim();
  return 'message' in told ? told.message : told.response;
}

const [url = '', email = '', password = '', device = '', secret = ''] = process.argv.slice(2);
process.stdout.write(`${await claim(url, email, password, device, secret)}\n`);
