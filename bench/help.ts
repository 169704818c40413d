/** What `--help` says. */
import { SCENARIOS } from './scenarios/all.ts';

export const listText = (): string => {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  const lines = SCENARIOS.map(({ name, title, peers }) => {
    const beside = peers.length === 0 ? '' : ` (beside it: ${peers.join(', ')})`;
    return `  ${name.padEnd(width)}  ${title}${beside}`;
  });
  return `${lines.join('\n')}\n`;
};

export const helpText = (): string => `npm run bench -- COMMAND [options]

Commands
  SCENARIO [SCENARIO …]   runs scenarios; \`all\` runs every one
  list                    says which there are
  compare A [B]           two sets of results (labels or files) as ratios; exit 1 past the threshold.
                          Without B, A against the last run
  report [A …] [--out F]  one HTML page of results, with plots; opens without a server
  micro                   the costs of the single parts, without sockets

Scenarios
${listText()}
How much
  --profile P             smoke (seconds, to see that it works), standard (default), full (a million devices)
  --duration 10s          measured time; --warm-up 3s goes before it
  --connections 1000      devices or people at once; --inflight 1 operations under way on each
  --mqtt 3.1.1|5          what devices speak; in 5 a refusal shows in the PUBACK
  --rate 20000            so many operations a second, whatever the answers do (open loop). Without it as fast as
                          answers come (closed loop). --arrivals poisson|even says how they fall
  --find-max p99=50ms     searches the highest rate that keeps a percentile under a bound
  --devices 20000         devices played with
  --workers 1             generator processes
  --repeat 3              repetitions, each with fresh data: median and spread

What is measured
  --store lmdb            lmdb, memory or redis, for a server that the bench starts itself
  --nodes 2               so many nodes on one Redis, behind a Mosquitto (with --store redis)
  --server NAME=value     an option of that server, by its environment name; may be given again
  --target HOST[:PORT]    a server that runs already, claimd or another that speaks ThingsBoard's API;
                          --mqtt-port, --coap-port, --username (a system or tenant administrator), and --password
                          or CLAIMD_BENCH_PASSWORD
  --peer a,b | --no-peers beside whom it is measured; by default all that the scenario has

What comes of it
  --label NAME            keeps the results as bench-results/NAME.jsonl, to compare and report; default: last
  --json                  writes them to standard output as JSON lines, instead of tables
  --cpu-prof, --heap-prof profiles the server while it is measured, summed up by module

Examples
  npm run bench -- initiate-mqtt
  npm run bench -- confirm --rate 5000 --duration 30s
  npm run bench -- initiate-mqtt --find-max p99=50ms
  npm run bench -- confirm --repeat 5 --label before    # then change something, and
  npm run bench -- confirm --repeat 5 --label after && npm run bench -- compare before after
  npm run bench -- all --profile smoke
  npm run bench -- initiate-mqtt confirm && npm run bench -- report --out report.html
  CLAIMD_BENCH_PASSWORD=… npm run bench -- confirm --target tb.example.org:8080

Exit codes: 0 good, 1 a wrong answer or a comparison past its threshold, 2 asked for something that can not be.
`;
