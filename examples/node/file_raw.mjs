#!/usr/bin/env node
// Uploads a file over a plain socket, downloads it again, and compares the digests.
// Usage: file_raw.mjs [FILE [NAME [HOST [PORT]]]]
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import net from 'node:net';
import {basename} from 'node:path';
import {inspect} from 'node:util';
import {Reader, sendJson} from './framing.mjs';

const [file = process.argv[1], name = basename(file), host = '127.0.0.1', port = '8090'] = process.argv.slice(2);

function checked(reply) {
  // Quoted: bytes from the network are not let loose on the terminal.
  if (reply.status !== 'ok') throw new Error(inspect([reply.reason, reply.message]));
  return reply;
}

async function digestOfFile() {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
}

async function sendFile(socket) {
  for await (const piece of createReadStream(file)) {
    // write() keeps what the network does not take yet; who goes on regardless has the whole file in memory.
    if (!socket.write(piece)) await once(socket, 'drain');
  }
}

try {
  const sha256 = await digestOfFile();
  const {size: filesize} = await stat(file);
  const socket = net.connect({host, port: Number(port)});
  socket.setTimeout(60_000, () => socket.destroy(new Error('no answer within 60 s')));
  const reader = new Reader(socket);
  sendJson(socket, {filename: name, filesize, sha256});
  // Both at once: a refusal may come while we still send. The reply means: compared with the digest, and on disk.
  await Promise.all([reader.json().then(checked), sendFile(socket)]);
  console.log('stored:', name, sha256);

  sendJson(socket, {op: 'download', filename: name});
  const downloaded = createHash('sha256');
  for (let left = checked(await reader.json()).filesize; left > 0;) {
    const piece = await reader.exactly(Math.min(left, 65536));
    downloaded.update(piece);
    left -= piece.length;
  }
  if (downloaded.digest('hex') !== sha256) throw new Error('other bytes came back');
  console.log('downloaded: the same bytes');
  socket.end();
} catch (error) {
  console.error(`file_raw: ${error.message || error.code}`);
  process.exit(1);
}
