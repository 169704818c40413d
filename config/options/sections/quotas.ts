/** How much there may be of what is kept for ever. */
import { bytes, count, section } from './declare.ts';

export const quotas = section('Quotas', {
  devicesPerTenant: count({
    key: 'quota.devicesPerTenant',
    env: 'QUOTA_DEVICES_PER_TENANT',
    default: 5_000_000,
    min: 0,
    max: 1_000_000_000,
    why: 'Devices of one tenant, however they are created. More are refused: too-many-devices. A device takes about 2.5 KB. 0: no limit.',
  }),
  writesPerTenant: count({
    key: 'quota.writesPerTenant',
    env: 'QUOTA_WRITES_PER_TENANT',
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000,
    why: 'Changes of devices of one tenant within a minute, on each node or worker. After that its windows and attributes are refused: rate-limited. A change takes some 200 bytes. 0: no limit.',
  }),
  bytesPerTenant: bytes({
    key: 'quota.bytesPerTenant',
    env: 'QUOTA_BYTES_PER_TENANT',
    default: 2 ** 40,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    why: 'What the users of one tenant may send to be kept, in all: entities, attributes, imports. What is deleted or written over counts on, since the log keeps every change. More is refused (400); claims never are, nor what forbids claiming or changes credentials. Each customer has an account of its own, of a hundredth of this. 0: no limit.',
  }),
  devicesPerGateway: count({
    key: 'quota.devicesPerGateway',
    env: 'QUOTA_DEVICES_PER_GATEWAY',
    default: 10_000,
    min: 0,
    max: 1_000_000_000,
    why: 'Devices that one gateway has created and that are still there. Without a limit, whoever has the token of a gateway fills the disk in minutes. 0: no limit.',
  }),
});
