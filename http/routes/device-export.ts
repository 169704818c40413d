/** A list of devices as CSV: those that were chosen, or all that fit. Tokens and keys are not in it. */
import { z } from 'zod';
import { dateOf } from '../../actors/base/clock.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import { slices } from '../../actors/base/slices.ts';
import { BATCH_DEVICES_MAX } from '../../actors/batches/model.ts';
import { claimStateOf } from '../../actors/device/claim-state.ts';
import type { DeviceRecord } from '../../actors/device/state.ts';
import { TENANT, type TenantAdministrator } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { deviceInfoView } from '../views/device.ts';
import { BOM, csvLine, noFormula } from '../wire/csv.ts';
import { switched } from '../wire/query.ts';
import { isProblem, type Reply, streamOf } from '../wire/reply.ts';
import { type DeviceInfoNeeds, infosOf } from './device-infos.ts';
import { type LargeReads, TOO_MANY_READS } from './large-reads.ts';
import { fitting, idsInQuery, whereInQuery } from './selection.ts';

type Info = z.output<typeof deviceInfoView>;

const wanted = z
  .object({ deviceIds: idsInQuery, where: whereInQuery, raw: switched('raw'), bom: switched('bom') })
  .refine(({ deviceIds, where }) => (where === undefined) !== (deviceIds.length === 0), {
    error: 'Either deviceIds or where should be specified!',
  });

export interface DeviceExportNeeds extends DeviceInfoNeeds {
  readonly largeReads: LargeReads;
}

export function deviceExportRoutes(needs: DeviceExportNeeds): Route[] {
  return [exportDevices(needs)];
}

function exportDevices(needs: DeviceExportNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceExport',
    summary: `Devices as CSV, at most ${BATCH_DEVICES_MAX}: named by deviceIds, or all that fit where, the oldest first`,
    description:
      'With their owners and states, without tokens and keys. where is JSON, as in a batch; {} is all devices. For programs with raw=true: else a text that a spreadsheet would run as a formula has a quote before it. For spreadsheets with bom=true: it begins with a byte order mark.',
    roles: TENANT,
    query: wanted,
    responses: {
      200: { description: 'CSV (RFC 4180); instants as in ISO 8601' },
      400: { description: 'Malformed; or more devices fit' },
      404: { description: 'No such customer' },
      ...TOO_MANY_READS,
    },
    handle({ principal, query: { deviceIds, where, raw = false, bom = false }, whileStanding }) {
      const asCsv = (ids: readonly DeviceId[]): Reply => ({
        type: 'stream',
        contentType: 'text/csv;charset=UTF-8',
        body: streamOf(whileStanding(linesOf(needs, principal, ids, raw ? (text) => text : noFormula, bom))),
      });
      if (where === undefined) return asCsv([...new Set(deviceIds)]);
      return needs.largeReads.run(principal.tenantId, async () => {
        const ids = await fitting(needs, principal, where);
        return isProblem(ids) ? ids : asCsv(ids);
      });
    },
  });
}

/** In the order of `COLUMNS`. */
const COLUMNS = [
  'id',
  'name',
  'type',
  'label',
  'deviceProfile',
  'state',
  'customer',
  'ownedSince',
  'ownedBy',
  'claimWindowUntil',
  'keyUntil',
  'connected',
  'created',
];

/** Slice by slice, as they are read; a device that was deleted meanwhile, or is another tenant's, has no line. */
async function* linesOf(
  needs: DeviceInfoNeeds,
  principal: TenantAdministrator,
  ids: readonly DeviceId[],
  safe: (text: string) => string,
  bom: boolean,
): AsyncGenerator<string> {
  yield `${bom ? BOM : ''}${csvLine(COLUMNS)}`;
  for await (const some of slices(ids)) {
    const read = await Promise.all(some.map((id) => needs.devices.read(id)));
    const devices = read.filter((device) => device?.tenantId === principal.tenantId);
    const there = devices.filter((device) => device !== undefined);
    const infos = await infosOf(needs, principal, there);
    const now = needs.clock.now();
    yield there
      .flatMap((device, at) => (infos[at] === undefined ? [] : lineOf(device, infos[at], now, safe)))
      .join('');
  }
}

const instant = (at: number | null | undefined) => (at ? dateOf(at).toISOString() : '');

function lineOf(device: DeviceRecord, info: Info, now: number, safe: (text: string) => string): string {
  return csvLine([
    info.id.id,
    safe(info.name),
    safe(info.type),
    safe(info.label ?? ''),
    safe(info.deviceProfileName),
    claimStateOf(device, now),
    safe(info.customerTitle ?? ''),
    instant(info.ownedSince),
    info.ownedBy ?? '',
    instant(info.claimWindow?.closesAt),
    instant(info.claimingDataExpiresAt),
    String(info.active),
    instant(info.createdTime),
  ]);
}
