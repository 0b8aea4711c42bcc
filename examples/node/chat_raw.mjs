#!/usr/bin/env node
// Writes to the desk over UDP and prints the first answer, which a person may take a minute to write.
// Usage: chat_raw.mjs [TEXT [HOST [PORT]]]
import dgram from 'node:dgram';
import {once} from 'node:events';
import net from 'node:net';
import {inspect} from 'node:util';

const [text = 'is anybody there? 你好', host = '127.0.0.1', port = '8081'] = process.argv.slice(2);

// Our address and port are our session: the answer comes to this socket, so it stays open.
const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
try {
  socket.connect(Number(port), host);
  await once(socket, 'connect');
  socket.send(text);
  const [answer] = await once(socket, 'message', {signal: AbortSignal.timeout(60_000)});
  // Quoted: bytes from the network are not let loose on the terminal.
  console.log('answer:', inspect(answer.toString()));
} catch (error) {
  console.error('chat_raw:', error.name === 'AbortError' ? 'nobody answered within a minute' : error.message);
  process.exitCode = 1;
} finally {
  socket.close();
}
