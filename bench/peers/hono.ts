/** The least a JSON POST can cost here: Hono on @hono/node-server, a body read and answered, nothing done. */
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
