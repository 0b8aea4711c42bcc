#!/usr/bin/env node
// Uploads a file through the gateway so that it can be resumed, and downloads it. Broken off, the same command goes on.
// Usage: file_grpc.mjs [FILE [NAME [HOST:PORT]]]
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {open, stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {call, connect, within} from './gateway.mjs';

const CHUNK = 1 << 20;
const [path = process.argv[1], filename = basename(path), gateway] = process.argv.slice(2);
const files = connect('file', 'FileService', gateway);

async function sha256(pieces) {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

async function upload(digest) {
  const {size} = await stat(path);
  // An id that follows from name and content: whoever repeats the command means the same upload.
  const uploadId = await sha256([`${filename} ${digest}`]);
  const begun = await call(files, 'CreateUpload', {uploadId, filename, size, expected: {sha256: digest}});
  if (begun.stored) return;  // that very content is there already
  let offset = begun.upload.committedSize;
  if (offset > 0) console.log('resumed at:', offset);
  const file = await open(path);
  while (offset < size) {
    const {buffer, bytesRead} = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, offset);
    const chunk = {uploadId, offset, data: buffer.subarray(0, bytesRead)};
    offset = (await call(files, 'WriteChunk', chunk, 60)).committedSize;
    console.error(`${offset} of ${size} bytes`);
  }
  await file.close();
  await call(files, 'CompleteUpload', {uploadId}, 60);
}

async function* download() {
  for await (const {data} of files.Download({filename}, within(600))) {
    if (data) yield data;  // not in the header, which comes first, nor in the trailer
  }
}

try {
  const digest = await sha256(createReadStream(path));
  await upload(digest);
  console.log('stored:', filename, digest);
  if (await sha256(download()) !== digest) throw new Error('other bytes came back');
  console.log('downloaded: the same bytes');
} catch (error) {
  console.error(`file_grpc: ${error.message}`);
  process.exitCode = 1;
} finally {
  files.close();
}
