#!/usr/bin/env node
// echo over plain sockets: upper case over TCP, a greeting over UDP.
// Usage: echo_raw.mjs [HOST [PORT]]
import dgram from 'node:dgram';
import {once} from 'node:events';
import net from 'node:net';

const [host = '127.0.0.1', port = '8080'] = process.argv.slice(2);

async function echoOverTcp(message) {
  const socket = net.connect({host, port: Number(port)});
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
  // end() sends, and then says "I send no more" (FIN): the service answers all that it has, then ends the stream as
  // well. Without this both sides would wait for each other.
  socket.end(message);
  let answer = '';
  // A piece is what has come so far, maybe less than was sent, so we read until the end of the stream.
  for await (const piece of socket.setEncoding('utf8')) answer += piece;
  return answer;
}

async function askOverUdp(message) {
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  try {
    // Nothing is sent by connect(); but answers come from this address only, and we are told when nobody is there.
    socket.connect(Number(port), host);
    await once(socket, 'connect');
    socket.send(message);
    const [answer] = await once(socket, 'message', {signal: AbortSignal.timeout(10_000)});
    return answer.toString();  // a datagram is whole, or it does not come at all
  } finally {
    socket.close();
  }
}

try {
  console.log('tcp:', await echoOverTcp('hello'));
  console.log('udp:', await askOverUdp('hello'));
} catch (error) {
  console.error(`echo_raw: ${error.message || error.code}`);
  process.exitCode = 1;
}
