/** The bench of this project: `npm run bench -- --help`. It starts claimd itself, or measures a server that runs. */
import { runProgram } from './cli.ts';
import { microCommand } from './micro.ts';

await runProgram({ name: 'npm run bench --', micro: microCommand });
