/** The HTTP port, for people and for devices. */
import {
  defaultApiSettings as API,
  defaultDeviceApiSettings as DEVICE_API,
  defaultHttpServerSettings as HTTP,
} from '../../../http/settings.ts';
import { parseBaseUrl } from '../../../http/wire/links.ts';
import { bytes, count, flag, KIB, MIB, millis, port, section, text } from './declare.ts';

export const http = section('HTTP: people and devices', {
  address: text({
    key: 'server.address',
    env: 'HTTP_BIND_ADDRESS',
    default: '0.0.0.0',
    why: 'Address to listen on. Use 127.0.0.1 behind a proxy on the same machine.',
  }),
  port: port({
    key: 'server.port',
    env: 'HTTP_BIND_PORT',
    default: HTTP.port,
    why: 'Port for the REST API and the device HTTP API. 0: any free port, named in the log.',
  }),
  sslEnabled: flag({
    key: 'server.ssl.enabled',
    env: 'SSL_ENABLED',
    default: false,
    why: 'Whether the HTTP port speaks HTTPS only. On SIGHUP the certificate and its key are read again.',
  }),
  sslCertFile: text({
    key: 'server.ssl.credentials.pem.cert_file',
    env: 'SSL_PEM_CERT',
    default: undefined,
    why: 'PEM file of the server certificate and its chain.',
  }),
  sslKeyFile: text({
    key: 'server.ssl.credentials.pem.key_file',
    env: 'SSL_PEM_KEY',
    default: undefined,
    why: 'PEM file of its private key.',
  }),
  sslKeyPassword: text({
    key: 'server.ssl.credentials.pem.key_password',
    env: 'SSL_PEM_KEY_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Password of the key file, if it has one.',
  }),
  baseUrl: text({
    key: 'server.base_url',
    env: 'HTTP_BASE_URL',
    default: undefined,
    pattern: /^https?:\/\/[^/\s?#@\\]+(\/[^\s?#\\]*)?$/u,
    parse: parseBaseUrl,
    expected: 'a URL such as https://claim.example.org, without query and fragment',
    why: 'What activation links begin with. By default the address that the request was sent to.',
  }),
  trustedProxies: count({
    key: 'server.trusted_proxies',
    env: 'HTTP_TRUSTED_PROXIES',
    default: API.trustedProxies,
    min: 0,
    max: 16,
    why: 'How many proxies in front add to X-Forwarded-For. 0: the header is ignored.',
  }),
  maxBodyBytes: bytes({
    key: 'server.http.max_body_size',
    env: 'HTTP_MAX_BODY_SIZE',
    default: API.maxBodyBytes,
    min: 1 * KIB,
    max: 64 * MIB,
    why: 'Largest body of a request. Routes that need no token take at most 64 KiB. A larger one is answered 413.',
  }),
  devicePayloadBytesMax: bytes({
    key: 'transport.http.max_body_size',
    env: 'HTTP_TRANSPORT_MAX_BODY_SIZE',
    default: DEVICE_API.payloadBytesMax,
    min: 128,
    max: 16 * MIB,
    why: 'Largest body that a device may send by HTTP. A larger one is answered 413.',
  }),
  maxHeaderBytes: bytes({
    key: 'server.http.max_header_size',
    env: 'HTTP_MAX_HEADER_SIZE',
    default: HTTP.maxHeaderBytes,
    min: 4 * KIB,
    max: 1 * MIB,
    why: 'Largest request line and headers together. More is answered 431.',
  }),
  maxConnections: count({
    key: 'server.http.max_connections',
    env: 'HTTP_MAX_CONNECTIONS',
    default: HTTP.maxConnections,
    min: 1,
    max: 10_000_000,
    why: 'Connections at the same time. Further ones are closed. The limit of open files must be higher.',
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
    why: 'How long an idle connection is kept. Make it longer than that of a proxy in front.',
  }),
});
