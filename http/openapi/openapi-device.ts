/**
 * The devices' own HTTP API in the description: one route, which is served by the transports and not by the routes here.
 * So it is written down by hand; a test holds the answers of the device API against it.
 */
import type { Operation, Schema } from './openapi.ts';

export const DEVICE_CLAIM_PATH = '/api/v1/{deviceToken}/claim';

const PROBLEM: Schema = { $ref: '#/components/schemas/Problem' };
const problem = (description: string, schema: Schema = PROBLEM) => ({
  description,
  content: { 'application/json': { schema } },
});

export const DEVICE_CLAIM: Operation = {
  tags: ['v1'],
  operationId: 'postApiV1DeviceTokenClaim',
  summary: 'A device opens its claim window; answered when the window is on disk',
  description: 'For devices: the access token is in the path.',
  security: [],
  parameters: [{ name: 'deviceToken', in: 'path', required: true, schema: { type: 'string' } }],
  requestBody: {
    required: false,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: {
            secretKey: { type: 'string', default: '' },
            durationMs: { type: 'integer', default: 0, description: '0 and less: as the server has it' },
          },
        },
      },
    },
  },
  responses: {
    200: { description: 'The window is open' },
    400: problem('Malformed'),
    401: { description: 'No device has this token' },
    405: problem('Another method than POST'),
    409: problem('Refused; reason says why: already-claimed, claiming-not-allowed, duration-too-long', {
      allOf: [PROBLEM, { type: 'object', properties: { reason: { type: 'string' } }, required: ['reason'] }],
    }),
    413: problem('The body is too large', { type: 'string' }),
    429: problem('The device opens windows too often, or its address has shown too many wrong tokens'),
    503: problem('The server can not answer just now; asking again is safe'),
  },
};
