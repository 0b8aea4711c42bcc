#!/usr/bin/env node
// Runs a shell command through the gateway: output as it comes, and the command's exit code as our own.
// Usage: exec_grpc.mjs [COMMAND [HOST:PORT]]
import {connect, within} from './gateway.mjs';

const [command = 'uname -sr', gateway] = process.argv.slice(2);
const exec = connect('exec', 'ExecService', gateway);
try {
  let outcome;
  // Should we end early, so does the call, and with it the command.
  for await (const response of exec.Run({shellCommand: command, timeout: {seconds: 60}}, within(70))) {
    if (response.event === 'started') {
      console.error('started:', response.started.jobId);
    } else if (response.event === 'output') {
      const toError = response.output.stream === 'OUTPUT_STREAM_STDERR';
      (toError ? process.stderr : process.stdout).write(response.output.data);
    } else if (response.event === 'outcome') {
      outcome = response.outcome;
    }
  }
  // Never take the absence of bad news for success.
  if (!outcome) throw new Error('the stream ended without an outcome');
  if (outcome.result !== 'exited') throw new Error(`no exit code: ${outcome.result}`);
  process.exitCode = outcome.exited.code;
} catch (error) {
  console.error(`exec_grpc: ${error.message}`);
  process.exitCode = 1;
} finally {
  exec.close();
}
