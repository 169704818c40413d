/** The HTTP port, for people and for devices. */
import { defaultApiSettings as API, defaultHttpServerSettings as HTTP } from '../../http/settings.ts';
import { DEVICE_HTTP_DEFAULTS as DEVICE_HTTP } from '../../transports/http.ts';
import { bytes, count, flag, KIB, MIB, millis, port, section, text } from './declare.ts';

export const http = section('HTTP: people and devices', {
  address: text({
    key: 'server.address',
    env: 'HTTP_BIND_ADDRESS',
    default: '0.0.0.0',
    why: 'Address to listen on; 127.0.0.1 behind a proxy on the same machine.',
  }),
  port: port({
    key: 'server.port',
    env: 'HTTP_BIND_PORT',
    default: HTTP.port,
    why: 'Port for REST and the device HTTP API. 0: any free one, named in the log.',
  }),
  sslEnabled: flag({
    key: 'server.ssl.enabled',
    env: 'SSL_ENABLED',
    default: false,
    why: 'Whether the HTTP port speaks HTTPS, and only that. SIGHUP has certificate and key read again.',
  }),
  sslCertFile: text({
    key: 'server.ssl.credentials.pem.cert_file',
    env: 'SSL_PEM_CERT',
    default: undefined,
    why: 'PEM file of the certificate, with those that lead to an authority behind it.',
  }),
  sslKeyFile: text({
    key: 'server.ssl.credentials.pem.key_file',
    env: 'SSL_PEM_KEY',
    default: undefined,
    why: "PEM file of the certificate's key.",
  }),
  sslKeyPassword: text({
    key: 'server.ssl.credentials.pem.key_password',
    env: 'SSL_PEM_KEY_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Password of the key file, where it has one.',
  }),
  baseUrl: text({
    key: 'server.base_url',
    env: 'HTTP_BASE_URL',
    default: undefined,
    pattern: /^https?:\/\/[^/\s]+(\/\S*)?$/u,
    expected: 'a URL such as https://claim.example.org',
    why: 'What activation links begin with; without it, as the request itself was addressed.',
  }),
  trustedProxies: count({
    key: 'server.trusted_proxies',
    env: 'HTTP_TRUSTED_PROXIES',
    default: API.trustedProxies,
    min: 0,
    max: 16,
    why: 'How many proxies in front add themselves to X-Forwarded-For. 0: the header is not believed.',
  }),
  maxBodyBytes: bytes({
    key: 'server.http.max_body_size',
    env: 'HTTP_MAX_BODY_SIZE',
    default: API.maxBodyBytes,
    min: 1 * KIB,
    max: 64 * MIB,
    why: 'Largest body of a request, 64 KiB at most where no token is needed; more is answered 413.',
  }),
  devicePayloadBytesMax: bytes({
    key: 'transport.http.max_body_size',
    env: 'HTTP_TRANSPORT_MAX_BODY_SIZE',
    default: DEVICE_HTTP.payloadBytesMax,
    min: 128,
    max: 16 * MIB,
    why: 'Largest body that a device may send by HTTP; more is answered 413.',
  }),
  maxHeaderBytes: bytes({
    key: 'server.http.max_header_size',
    env: 'HTTP_MAX_HEADER_SIZE',
    default: HTTP.maxHeaderBytes,
    min: 4 * KIB,
    max: 1 * MIB,
    why: 'Request line and headers together; more is answered 431.',
  }),
  maxConnections: count({
    key: 'server.http.max_connections',
    env: 'HTTP_MAX_CONNECTIONS',
    default: HTTP.maxConnections,
    min: 1,
    max: 10_000_000,
    why: 'Connections at once; further ones are closed. The limit of open files must be above it.',
  }),
  headersTimeoutMs: millis({
    key: 'server.http.headers_timeout',
    env: 'HTTP_HEADERS_TIMEOUT',
    default: HTTP.headersTimeoutMs,
    min: 100,
    why: 'How long a client may take to send its headers.',
  }),
  requestTimeoutMs: millis({
    key: 'transport.http.request_timeout',
    env: 'HTTP_REQUEST_TIMEOUT',
    default: HTTP.requestTimeoutMs,
    min: 100,
    why: 'How long a client may take to send a whole request.',
  }),
  keepAliveTimeoutMs: millis({
    key: 'server.http.keep_alive_timeout',
    env: 'HTTP_KEEP_ALIVE_TIMEOUT',
    default: HTTP.keepAliveTimeoutMs,
    min: 100,
    why: 'How long an idle connection is kept; longer than the one of a proxy in front.',
  }),
});
