/** A JSON POST that does nothing: Hono on @hono/node-server reads and answers a body. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.post('/', async (c) => c.json({ received: (await c.req.json()) !== null }));

const server = serve(
  { fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.argv[2]) },
  ({ port }) => {
    process.stdout.write(`${JSON.stringify({ port })}\n`);
  },
);
process.on('SIGTERM', () => server.close());
