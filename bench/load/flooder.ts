/** A process that floods a server by MQTT until it is ended: `flooder.js PORT FLOOD TOKEN…`, a connection for each token. */
import { FLOODS, flood, storm } from '../../test/kit/mqtt-floods.ts';

const [port, name, ...tokens] = process.argv.slice(2);
const what = FLOODS.find((one) => one.name === name);
if (what === undefined) throw new Error(`no such flood: ${name}`);
for (const token of tokens) (what.storm === undefined ? flood : storm)(Number(port), token, what);
process.on('disconnect', () => process.exit(0));
