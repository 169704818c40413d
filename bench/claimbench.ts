#!/usr/bin/env node
/** The bench by itself, as a package for others: it measures any server that speaks ThingsBoard's claiming API. */
import { runProgram } from './cli.ts';

await runProgram({ name: 'claimbench' });
