/** Figures about messages: MQTT packets by type, how connections were answered, and what CoAP requests were answered. */
import type { Cell, Metrics } from '../../actors/base/metrics.ts';
import { ANSWER_CODES, showCode } from '../../transports/coap/codes.ts';
import {
  CONNACK_CODES,
  type PacketFigures,
  RECEIVED_PACKETS,
  SENT_PACKETS,
} from '../../transports/mqtt/endpoint/figures.ts';

export function meterPackets(metrics: Metrics): PacketFigures {
  const received = cells(
    metrics,
    {
      name: 'claimd_mqtt_packets_received_total',
      help: 'Packets of devices by type; `fault` are bytes that were no packet, or none that may come.',
    },
    'type',
    Object.keys(RECEIVED_PACKETS),
  );
  const sent = cells(
    metrics,
    { name: 'claimd_mqtt_packets_sent_total', help: 'Packets to devices by type.' },
    'type',
    SENT_PACKETS,
  );
  const answered = cells(
    metrics,
    {
      name: 'claimd_mqtt_connects_total',
      help: 'Answers to CONNECT by code: 0 to 5 of MQTT 3.1.1, from 128 on of MQTT 5; 0 is yes in both.',
    },
    'code',
    CONNACK_CODES.map(String),
  );
  const answeredByCode = new Map([...answered].map(([code, cell]) => [Number(code), cell]));
  return {
    received: (cmd) => countUp(received.get(cmd)),
    sent: (cmd) => countUp(sent.get(cmd)),
    answered: (code) => countUp(answeredByCode.get(code)),
  };
}

/** @returns to be called with the code of each answer */
export function meterCoap(metrics: Metrics): (code: number) => void {
  const answered = cells(
    metrics,
    { name: 'claimd_coap_requests_total', help: 'Requests over CoAP by the code of their answer.' },
    'code',
    ANSWER_CODES.map(showCode),
  );
  const byCode = new Map(ANSWER_CODES.map((code) => [code, answered.get(showCode(code))]));
  return (code) => countUp(byCode.get(code));
}

function cells(
  metrics: Metrics,
  described: { readonly name: string; readonly help: string },
  label: string,
  values: readonly string[],
): ReadonlyMap<string, Cell> {
  const counter = metrics.counter(described, { [label]: values });
  return new Map(values.map((value) => [value, counter.of(value)]));
}

function countUp(cell: Cell | undefined): void {
  if (cell !== undefined) cell.value += 1;
}
