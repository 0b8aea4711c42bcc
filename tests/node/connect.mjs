// Clients of the gateway's HTTP door: @connectrpc/connect over Node's HTTP/1.1 and, as browsers do, over fetch. Their
// contract is a set of descriptors, so nothing is generated.
// Takes RAWGATE_HTTP (URL), RAWGATE_DESCRIPTORS (file of a FileDescriptorSet) and RAWGATE_NODE_DIR (where the packages are).
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {test} from 'node:test';

const require = createRequire(`${process.env.RAWGATE_NODE_DIR}/`);
const {createFileRegistry, fromBinary} = require('@bufbuild/protobuf');
const {FileDescriptorSetSchema} = require('@bufbuild/protobuf/wkt');
const {Code, ConnectError, createClient} = require('@connectrpc/connect');
const node = require('@connectrpc/connect-node');
const web = require('@connectrpc/connect-web');

const registry = createFileRegistry(
    fromBinary(FileDescriptorSetSchema, readFileSync(process.env.RAWGATE_DESCRIPTORS)));
const ErrorInfo = registry.getMessage('google.rpc.ErrorInfo');

const baseUrl = process.env.RAWGATE_HTTP;
// Every request of fetch as it went out.
const fetched = [];
const recordedFetch = (url, init) => {
  fetched.push({url: String(url), method: init.method});
  return fetch(url, init);
};

const TRANSPORTS = {
  'node, binary': () => node.createConnectTransport({baseUrl, httpVersion: '1.1', useBinaryFormat: true}),
  'node, JSON': () => node.createConnectTransport({baseUrl, httpVersion: '1.1', useBinaryFormat: false}),
  'node, compressing': () => node.createConnectTransport(
      {baseUrl, httpVersion: '1.1', acceptCompression: [node.compressionGzip], sendCompression: null}),
  'node, GET': () => node.createConnectTransport({baseUrl, httpVersion: '1.1', useHttpGet: true}),
  'fetch, JSON': () => web.createConnectTransport({baseUrl, fetch: recordedFetch}),
  'fetch, binary': () => web.createConnectTransport({baseUrl, fetch: recordedFetch, useBinaryFormat: true}),
  'fetch, GET': () => web.createConnectTransport({baseUrl, fetch: recordedFetch, useHttpGet: true}),
};

const bytes = (text) => new TextEncoder().encode(text);
const text = (data) => new TextDecoder().decode(data);

function clientsOf(transport) {
  const client = (name) => createClient(registry.getService(`rawgate.${name}`), transport);
  return {
    control: client('control.v1.ControlService'),
    echo: client('echo.v1.EchoService'),
    exec: client('exec.v1.ExecService'),
    file: client('file.v1.FileService'),
    time: client('time.v1.TimeService'),
  };
}

async function rejection(promise) {
  return ConnectError.from(await promise.then(assert.fail, (error) => error));
}

for (const [name, make] of Object.entries(TRANSPORTS)) {
  const {control, echo, exec, file, time} = clientsOf(make());

  test(`${name}: unary calls`, async () => {
    const {services} = await control.listServices({});
    assert.deepEqual(services.map((service) => service.name), ['chat', 'echo', 'exec', 'file', 'time']);
    assert.equal(text((await echo.echo({payload: bytes('hello')})).payload), 'HELLO');
    assert.equal((await time.getTime({format: '%%', timeZone: 'UTC'})).formatted, '%');
  });

  test(`${name}: headers go in, and come back`, async () => {
    const seen = {};
    await time.getTime({}, {
      headers: {'traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'},
      onHeader: (headers) => { seen.type = headers.get('content-type'); },
    });
    assert.match(seen.type, /^application\/(json|proto)$/);
  });

  test(`${name}: an error has its code, its message and its details`, async () => {
    const error = await rejection(file.statFile({filename: 'missing'}));
    assert.equal(error.code, Code.NotFound);
    assert.match(error.rawMessage, /missing/);
    const [info] = error.findDetails(ErrorInfo);
    assert.equal(info.reason, 'FILE_NOT_FOUND');
    assert.equal(info.domain, 'rawgate');
  });

  test(`${name}: a server stream, to its end`, async () => {
    let output = '';
    let outcome;
    for await (const {event} of exec.run({command: {case: 'shellCommand', value: 'seq 1000; exit 3'}})) {
      if (event.case === 'output') output += text(event.value.data);
      if (event.case === 'outcome') outcome = event.value;
    }
    assert.equal(output, Array.from({length: 1000}, (_, i) => `${i + 1}\n`).join(''));
    assert.equal(outcome.result.case, 'exited');
    assert.equal(outcome.result.value.code, 3);
  });

  test(`${name}: a server stream that fails`, async () => {
    const drain = async () => {
      for await (const {data} of file.download({filename: 'missing'})) assert.fail(String(data));
    };
    const error = await rejection(drain());
    assert.equal(error.code, Code.NotFound);
    assert.equal(error.findDetails(ErrorInfo)[0].reason, 'FILE_NOT_FOUND');
  });

  test(`${name}: a stream without an end, left by its client`, async () => {
    const leaving = new AbortController();
    const ticks = [];
    const watch = async () => {
      const request = {interval: {seconds: 0n, nanos: 100_000_000}};
      for await (const tick of time.watchTime(request, {signal: leaving.signal})) {
        ticks.push(tick);
        if (ticks.length === 3) leaving.abort();
      }
    };
    assert.equal((await rejection(watch())).code, Code.Canceled);
    assert.equal(ticks.length, 3);
  });

  test(`${name}: a deadline`, async () => {
    const watch = async () => {
      for await (const update of control.watchServices({}, {timeoutMs: 300})) assert.ok(update);
    };
    assert.equal((await rejection(watch())).code, Code.DeadlineExceeded);
  });
}

test('what only reads is asked by GET', () => {
  const gets = fetched.filter(({method}) => method === 'GET').map(({url}) => new URL(url).pathname);
  assert.ok(gets.includes('/rawgate.time.v1.TimeService/GetTime'));
  assert.ok(!gets.includes('/rawgate.exec.v1.ExecService/Run'));
});

test('a file goes up in one body and comes down in pieces', async () => {
  const {file} = clientsOf(TRANSPORTS['node, binary']());
  const content = new Uint8Array(1_000_000).map((_, i) => i % 251);
  async function* upload() {
    yield {part: {case: 'start', value: {filename: 'connect.bin', size: BigInt(content.length)}}};
    for (let offset = 0; offset < content.length; offset += 65_536) {
      yield {part: {case: 'data', value: content.subarray(offset, offset + 65_536)}};
    }
  }
  const {file: info} = await file.upload(upload());
  assert.equal(info.size, BigInt(content.length));
  const parts = [];
  for await (const {part} of file.download({filename: 'connect.bin'})) {
    if (part.case === 'data') parts.push(part.value);
  }
  assert.ok(Buffer.concat(parts).equals(Buffer.from(content)));
});
