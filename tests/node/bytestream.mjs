// A client of google.bytestream.ByteStream as Google publishes it: the contract comes from their package of protos, not
// from ours, so that what is on the wire is theirs.
// Takes RAWGATE_GATEWAY (host:port) and RAWGATE_NODE_DIR (where the packages are).
import assert from 'node:assert/strict';
import {createHash, randomBytes, randomUUID} from 'node:crypto';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {after, test} from 'node:test';
import {promisify} from 'node:util';

const require = createRequire(`${process.env.RAWGATE_NODE_DIR}/`);
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const PUBLISHED = dirname(require.resolve('google-proto-files/package.json'));
const MIB = 1 << 20;

const definition = protoLoader.loadSync(
    'google/bytestream/bytestream.proto', {includeDirs: [PUBLISHED], longs: Number, defaults: true});
const {google} = grpc.loadPackageDefinition(definition);
const client = new google.bytestream.ByteStream(
    process.env.RAWGATE_GATEWAY, grpc.credentials.createInsecure(), {'grpc.enable_http_proxy': 0});
after(() => client.close());

const query = (resourceName) => promisify(client.queryWriteStatus).call(client, {resourceName});

const blobName = (content) => `blobs/${createHash('sha256').update(content).digest('hex')}/${content.length}`;

// A call of Write: its stream, and how it ends.
function openWrite() {
  let stream;
  const response = new Promise((resolve, reject) => {
    stream = client.write((error, value) => error ? reject(error) : resolve(value));
  });
  return {stream, response};
}

// Sends `content` from `begin` to `end`, the resource's name in the first message only.
function send(stream, resourceName, content, begin, end) {
  for (let offset = begin; offset < end; offset += MIB) {
    const next = Math.min(offset + MIB, end);
    stream.write({
      resourceName: offset === begin ? resourceName : '',
      writeOffset: offset,
      finishWrite: next === content.length,
      data: content.subarray(offset, next),
    });
  }
}

async function read(resourceName, readOffset = 0, readLimit = 0) {
  const parts = [];
  for await (const {data} of client.read({resourceName, readOffset, readLimit})) parts.push(data);
  return Buffer.concat(parts);
}

const failure = (promise) => promise.then(assert.fail, (error) => error);

test('writes 5 MiB, breaks in the middle, asks, goes on, reads', async () => {
  const content = randomBytes(5 * MIB);
  const name = `node/uploads/${randomUUID()}/${blobName(content)}`;
  assert.equal((await failure(query(name))).code, grpc.status.NOT_FOUND);

  const broken = openWrite();
  send(broken.stream, name, content, 0, 3 * MIB);
  for (;;) {
    const {committedSize} = await query(name).catch(() => ({committedSize: 0}));
    if (committedSize === 3 * MIB) break;
  }
  broken.stream.cancel();
  assert.equal((await failure(broken.response)).code, grpc.status.CANCELLED);

  const {committedSize, complete} = await query(name);
  assert.deepEqual({committedSize, complete}, {committedSize: 3 * MIB, complete: false});
  const resumed = openWrite();
  send(resumed.stream, name, content, committedSize, content.length);
  resumed.stream.end();
  assert.equal((await resumed.response).committedSize, content.length);
  assert.deepEqual(await query(name), {committedSize: content.length, complete: true});

  const stored = `node/${blobName(content)}`;
  assert.ok((await read(stored)).equals(content));
  const offset = 2 * MIB + 1;
  assert.ok((await read(stored, offset)).equals(content.subarray(offset)));
  assert.ok((await read(stored, offset, 1_000_000)).equals(content.subarray(offset, offset + 1_000_000)));
});

test('a blob that is stored is success at once', async () => {
  const content = randomBytes(MIB);
  for (let round = 0; round < 2; ++round) {
    const {stream, response} = openWrite();
    send(stream, `node/uploads/${randomUUID()}/${blobName(content)}`, content, 0, content.length);
    stream.end();
    assert.equal((await response).committedSize, content.length);
  }
});

test('a file by its name, whose size nobody announced', async () => {
  const content = randomBytes(100_000);
  const {stream, response} = openWrite();
  send(stream, 'node/plain.bin', content, 0, content.length);
  stream.end();
  assert.equal((await response).committedSize, content.length);
  assert.ok((await read('node/plain.bin')).equals(content));
});

test('errors have the codes that the contract names', async () => {
  assert.equal((await failure(read('node/missing'))).code, grpc.status.NOT_FOUND);
  assert.equal((await failure(read('node/plain.bin', 100_001))).code, grpc.status.OUT_OF_RANGE);
  assert.equal((await failure(read('node/plain.bin', -1))).code, grpc.status.OUT_OF_RANGE);
  const content = Buffer.from('hello');
  const {stream, response} = openWrite();
  stream.write({resourceName: `uploads/x/${blobName(content)}`, data: Buffer.from('hallo'), finishWrite: true});
  stream.end();
  assert.equal((await failure(response)).code, grpc.status.DATA_LOSS);
});
