#!/usr/bin/env node
// The time over UDP: the datagram is a strftime format, the answer is the time in it.
// Usage: time_raw.mjs [HOST [PORT]]
import dgram from 'node:dgram';
import {once} from 'node:events';
import net from 'node:net';

const TRIES = 3;
const [host = '127.0.0.1', port = '9000'] = process.argv.slice(2);

async function ask(format) {
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  try {
    socket.connect(Number(port), host);
    await once(socket, 'connect');
    for (let attempt = 0; attempt < TRIES; attempt++) {
      // UDP loses datagrams, theirs and ours, and tells nobody. Asking twice does no harm here, so we ask again.
      socket.send(format);
      try {
        const [answer] = await once(socket, 'message', {signal: AbortSignal.timeout(1000)});
        return answer.toString();
      } catch (error) {
        if (error.name !== 'AbortError') throw error;
      }
    }
    throw new Error(`no answer to ${TRIES} datagrams`);
  } finally {
    socket.close();
  }
}

try {
  console.log('time:', await ask('%Y-%m-%d %H:%M:%S'));
} catch (error) {
  console.error(`time_raw: ${error.message || error.code}`);
  process.exitCode = 1;
}
