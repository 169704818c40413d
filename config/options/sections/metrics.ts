/** Figures for whoever watches the server. */
import { flag, port, section, text } from './declare.ts';

export const metrics = section('Metrics', {
  enabled: flag({
    key: 'metrics.enabled',
    env: 'METRICS_ENABLED',
    default: false,
    why: 'Whether GET /metrics is answered, for Prometheus and what reads its format, on a port of its own. One port for all workers.',
  }),
  bindAddress: text({
    key: 'metrics.bind_address',
    env: 'METRICS_BIND_ADDRESS',
    default: '127.0.0.1',
    why: 'Address of that port. By default only this machine reaches it.',
  }),
  port: port({
    key: 'metrics.bind_port',
    env: 'METRICS_BIND_PORT',
    default: 9464,
    why: 'The port; 0 takes any free one.',
  }),
  token: text({
    key: 'metrics.token',
    env: 'METRICS_TOKEN',
    default: undefined,
    pattern: /^[\x21-\x7e]{16,}$/,
    expected: 'at least 16 printable characters without spaces',
    secret: true,
    why: 'With it, whoever asks must show it as bearer token.',
  }),
});
