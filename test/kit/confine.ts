/**
 * Holds a test file to what its folder promises: a file in `pure` opens no socket and starts no process, one in
 * `sockets` starts no process. The runner loads this before the file. Breaking the promise throws, and fails the file
 * even when the test catches it.
 */
import childProcess, { ChildProcess } from 'node:child_process';
import { Socket as UdpSocket } from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import { Server, Socket } from 'node:net';

/** Names the folder, for the process that runs a test file. */
export const FOLDER_VARIABLE = 'CLAIMD_TEST_FOLDER';

const folder = process.env[FOLDER_VARIABLE];
let broken = false;

function forbid(what: string, owner: object, ...methods: readonly string[]): void {
  for (const method of methods) {
    const value = () => {
      broken = true;
      throw new Error(`a test in test/${folder} must ${what} (${method}): move it to another folder`);
    };
    Object.defineProperty(owner, method, { value, configurable: true, writable: true });
  }
}

if (folder === 'pure') {
  forbid('open no socket', Server.prototype, 'listen');
  forbid('open no socket', Socket.prototype, 'connect');
  forbid('open no socket', UdpSocket.prototype, 'bind', 'connect', 'send');
}
if (folder === 'pure' || folder === 'sockets') {
  forbid('start no process', ChildProcess.prototype, 'spawn'); // spawn, fork, exec and node:cluster end there
  forbid('start no process', childProcess, 'spawnSync', 'execSync', 'execFileSync');
  syncBuiltinESMExports();
}

process.on('exit', () => {
  if (broken) process.exitCode = 1;
});
