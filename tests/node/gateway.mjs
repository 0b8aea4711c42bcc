// A JavaScript client of the gateway: stubs made from the .proto files at run time, nothing generated.
// Takes RAWGATE_GATEWAY (host:port), RAWGATE_PROTOS (folder) and RAWGATE_NODE_DIR (where the packages are).
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {after, test} from 'node:test';
import {promisify} from 'node:util';

const require = createRequire(`${process.env.RAWGATE_NODE_DIR}/`);
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const AREAS = ['chat', 'control', 'echo', 'exec', 'file', 'time'];

const definition = protoLoader.loadSync(
    AREAS.map((area) => `rawgate/${area}/v1/${area}_service.proto`),
    {includeDirs: [process.env.RAWGATE_PROTOS], enums: String, longs: Number, oneofs: true, defaults: true});
const {rawgate} = grpc.loadPackageDefinition(definition);

const credentials = grpc.credentials.createInsecure();
const options = {'grpc.enable_http_proxy': 0};
const newClient = (Service) => new Service(process.env.RAWGATE_GATEWAY, credentials, options);

const control = newClient(rawgate.control.v1.ControlService);
const echo = newClient(rawgate.echo.v1.EchoService);
const exec = newClient(rawgate.exec.v1.ExecService);
const time = newClient(rawgate.time.v1.TimeService);
const file = newClient(rawgate.file.v1.FileService);
const chat = newClient(rawgate.chat.v1.ChatService);
after(() => [control, echo, exec, time, file, chat].forEach((client) => client.close()));

// A unary method as a promise.
const call = (client, method, request = {}) => promisify(client[method]).call(client, request);

test('lists the five services, all running', async () => {
  const {services} = await call(control, 'ListServices');
  assert.deepEqual(services.map(({name}) => name), ['chat', 'echo', 'exec', 'file', 'time']);
  for (const {state} of services) assert.equal(state, 'SERVICE_STATE_RUNNING');
});

test('echoes in upper case', async () => {
  const {payload} = await call(echo, 'Echo', {payload: Buffer.from('hello')});
  assert.equal(payload.toString(), 'HELLO');
});

test('converses', async () => {
  const stream = echo.Converse();
  const heard = [];
  stream.write({payload: Buffer.from('a')});
  for await (const {payload} of stream) {
    heard.push(payload.toString());
    if (heard.length === 3) stream.end();
    else stream.write({payload: Buffer.from(payload.toString().toLowerCase() + 'a')});
  }
  assert.deepEqual(heard, ['A', 'AA', 'AAA']);
});

test('runs a command and sees its output and outcome', async () => {
  const events = [];
  const output = {OUTPUT_STREAM_STDOUT: '', OUTPUT_STREAM_STDERR: ''};
  for await (const event of exec.Run({shellCommand: 'echo out; echo err >&2; exit 3'})) {
    events.push(event);
    if (event.output) output[event.output.stream] += event.output.data;
  }
  assert.equal(events[0].event, 'started');
  assert.deepEqual(output, {OUTPUT_STREAM_STDOUT: 'out\n', OUTPUT_STREAM_STDERR: 'err\n'});
  assert.equal(events.at(-1).outcome.exited.code, 3);
});

test('asks the time', async () => {
  const {time: now, formatted} = await call(time, 'GetTime', {format: '%s', timeZone: 'UTC'});
  assert.equal(formatted, String(now.seconds));
});

test('uploads a file in pieces and downloads it again', async () => {
  const content = Buffer.alloc(1_000_000, 'node');
  const info = await new Promise((resolve, reject) => {
    const stream = file.Upload((error, response) => error ? reject(error) : resolve(response.file));
    stream.write({start: {filename: 'node/upload.bin', size: content.length}});
    for (let offset = 0; offset < content.length; offset += 65536) {
      stream.write({data: content.subarray(offset, offset + 65536)});
    }
    stream.end();
  });
  assert.equal(info.size, content.length);

  const parts = [];
  for await (const {data} of file.Download({filename: 'node/upload.bin'})) {
    if (data) parts.push(data);
  }
  assert.ok(Buffer.concat(parts).equals(content));
});

test('an error has its code and its reason', async () => {
  const error = await call(file, 'StatFile', {filename: 'missing'}).then(assert.fail, (rejection) => rejection);
  assert.equal(error.code, grpc.status.NOT_FOUND);
  const [details] = error.metadata.get('grpc-status-details-bin');
  assert.ok(details.includes('FILE_NOT_FOUND'));
});

test('lists chat sessions', async () => {
  const {sessions} = await call(chat, 'ListSessions');
  assert.deepEqual(sessions, []);
});

test('stops a service, is refused, starts it and is served', async () => {
  await call(control, 'StopService', {service: 'echo'});
  const error = await call(echo, 'Echo', {payload: Buffer.from('x')}).then(assert.fail, (rejection) => rejection);
  assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
  await call(control, 'StartService', {service: 'echo'});
  const {payload} = await call(echo, 'Echo', {payload: Buffer.from('x')});
  assert.equal(payload.toString(), 'X');
});

test('a cancelled watch ends', async () => {
  const watch = control.WatchServices({});
  await assert.rejects(async () => {
    for await (const {snapshot} of watch) {
      assert.equal(snapshot, true);
      watch.cancel();
    }
  }, {code: grpc.status.CANCELLED});
});
