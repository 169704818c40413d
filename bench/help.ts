/** The texts of `--help` and `list`. */
import type { Program } from './program.ts';
import { SCENARIOS } from './scenarios/all.ts';

export const listText = (): string => {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  const lines = SCENARIOS.map(({ name, title, peers }) => {
    const beside = peers.length === 0 ? '' : ` (beside it: ${peers.join(', ')})`;
    return `  ${name.padEnd(width)}  ${title}${beside}`;
  });
  return `${lines.join('\n')}\n`;
};

const OWN = `  --store lmdb            lmdb, memory or redis, for a server that the bench starts
  --nodes 2               several nodes on one Redis, behind a Mosquitto (with --store redis)
  --against FOLDER        another build, for by-turns
  --server NAME=value     an option of that server, by its environment name; can be repeated
`;

export const helpText = ({ name, micro }: Program): string => `${name} COMMAND [options]

Commands
  SCENARIO [SCENARIO …]   runs scenarios; \`all\` runs every one
  list                    lists the scenarios
  compare A [B]           two sets of results (labels or files) as ratios; exit 1 past the threshold.
                          Without B, A against the last run
  report [A …] [--out F]  one HTML page of results, with plots; opens without a server
${micro === undefined ? '' : '  micro                   measures single parts, without sockets\n'}
Scenarios
${listText()}
How much to run
  --profile P             smoke (a second each, only to see that it works), standard (default), full (a million devices)
  --duration 10s          measured time, after --warm-up 3s
  --connections 1000      devices or people at the same time; --inflight 1 operations on each
                          in idle-fleet: connections that rest; --keep-alive 60s makes them send a PINGREQ as often
  --mqtt 3.1.1|5          what devices speak; in 5 a refusal shows in the PUBACK
  --rate 20000            operations per second, independent of the answers (open loop). Without it the next begins
                          when one is answered (closed loop). --arrivals poisson|even spaces them
  --find-max p99=50ms     searches the highest rate that keeps a percentile under a bound
  --at 10%,50%,90%        and measures the latencies at these shares of it, too
  --devices 20000         number of devices
  --rivals 8              customers who claim each device at once in contend
  --workers 1             generator processes
  --repeat 3              repetitions, each with fresh data: median and spread

What to measure
${micro === undefined ? '' : OWN}  --target HOST[:PORT]    a running server, claimd or another with ThingsBoard's API;
                          --mqtt-port, --coap-port, --username (a system or tenant administrator), and --password
                          or CLAIMD_BENCH_PASSWORD
  --watch PID[,PID]       its processes, where they run on this machine: CPU and memory, with their children's
  --kill-command C        with --start-command C: how it is ended at once and started again, for recovery
  --set-up-connections 16, --deletes-at-once 8
                          how gently devices are made and deleted there (128 and 100 for the bench's own server)
  --peer a,b | --no-peers which peers to measure too; by default all of the scenario

What to do with the results
  --label NAME            keeps the results as bench-results/NAME.jsonl, to compare and report; default: last
  --json                  writes them to standard output as JSON lines, instead of tables
  --cpu-prof, --heap-prof profiles the server under load, summed up by module

Examples
  ${name} initiate-mqtt
  ${name} confirm --rate 5000 --duration 30s
  ${name} initiate-mqtt --find-max p99=50ms
  ${name} confirm --repeat 5 --label before    # then change something, and
  ${name} confirm --repeat 5 --label after && ${name} compare before after
  ${name} all --profile smoke
  ${name} initiate-mqtt confirm && ${name} report --out report.html
  CLAIMD_BENCH_PASSWORD=… ${name} confirm --target tb.example.org:8080
  ${name} initiate-mqtt --find-max p99=50ms --at 10%,50%,90%

Exit codes: 0 good, 1 a wrong answer or a comparison past its threshold, 2 misuse.
`;
