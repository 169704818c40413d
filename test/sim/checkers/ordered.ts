/**
 * A node decides the commands for one device in the order in which they came to it, so a device that opens two windows
 * without waiting in between is left with the second one's. Seen from the answers: none overtakes another.
 */
import type { Checker, Operation } from '../history.ts';

export const ordered: Checker = ({ operations }) => {
  /** The last decided operation of each node and device, in the order of the calls. */
  const last = new Map<string, Operation>();
  return operations.flatMap((operation) => {
    const { id, device, node, request, ended } = operation;
    const isDecided = ended?.outcome.type === 'accepted' || ended?.outcome.type === 'refused';
    if (!isDecided || request.type === 'read') return [];
    const before = last.get(`${node} ${device}`);
    last.set(`${node} ${device}`, operation);
    if ((before?.ended?.moment.step ?? 0) < ended.moment.step) return [];
    return [
      { law: 'ordered', device, text: `operation ${id} was answered before ${before?.id}, which came first` },
    ];
  });
};
