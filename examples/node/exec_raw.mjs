#!/usr/bin/env node
// Runs a shell command over plain sockets, twice: once with its output behind a size, once behind a JSON header.
// Usage: exec_raw.mjs [COMMAND [HOST [SIZED_PORT [HEADER_PORT]]]]
import net from 'node:net';
import {inspect} from 'node:util';
import {Reader} from './framing.mjs';

const [command = 'uname -sr', host = '127.0.0.1', sizedPort = '8083', headerPort = '8084'] = process.argv.slice(2);
const OUTPUT_MAX = 64 << 20;  // the service's own limit

function send(port) {
  const socket = net.connect({host, port: Number(port)});
  socket.setTimeout(60_000, () => socket.destroy(new Error('no answer within 60 s')));
  // The newline ends the command: however the network cuts or merges the bytes, the service knows where. We want no
  // second one, so end() closes our side; the answer still comes.
  socket.end(`${command}\n`);
  return new Reader(socket);
}

try {
  const body = await send(sizedPort).sized(OUTPUT_MAX);
  console.log(`sized: ${body.length} bytes`);

  const reader = send(headerPort);
  const header = await reader.json();
  if (header.total_size > OUTPUT_MAX) throw new Error(`${header.total_size} bytes of output are not what we expect`);
  const output = await reader.exactly(header.total_size);
  // Standard output comes first, standard error behind it.
  process.stdout.write(output.subarray(0, header.stdout_size));
  process.stderr.write(output.subarray(header.stdout_size));
  // A signal, a time limit, or it could not be started.
  if (header.exit_code === undefined) throw new Error(`no exit code: ${inspect(header)}`);
  console.log('exit code:', header.exit_code);
  process.exitCode = header.exit_code;
} catch (error) {
  console.error(`exec_raw: ${error.message || error.code}`);
  process.exitCode = 1;
}
