#!/usr/bin/env node
// Lists the services, then follows what happens in them: connections, requests, every read with its size. Until Ctrl-C.
// Usage: control_grpc.mjs [HOST:PORT]
import {inspect} from 'node:util';
import {call, connect} from './gateway.mjs';

const control = connect('control', 'ControlService', process.argv[2]);

function describe({kind, chunkReceived: chunk, requestServed: served}) {
  // What one recv() of the service returned: send "hello" and "world", and see one chunk or two.
  if (kind === 'chunkReceived') return `chunk of ${chunk.size} bytes: ${inspect(chunk.sample.toString())}`;
  if (kind === 'requestServed') return `served ${served.summary} ${served.errorCode}`.trimEnd();
  return kind;
}

try {
  const {services} = await call(control, 'ListServices');
  for (const {name, state, listeners} of services) {
    console.log(name, state.replace('SERVICE_STATE_', ''));
    for (const listener of listeners) console.log('  ', listener.name, listener.boundAddress || 'not bound');
  }
  // No deadline: this call is meant to last.
  for await (const {positions, events} of control.WatchEvents({includeChunks: true, sampleBytes: 32})) {
    if (positions.length > 0) console.log('watching');  // told first: what happens from now on is not missed
    for (const event of events) {
      console.log(`${event.service}/${event.listener} #${event.connectionId}: ${describe(event)}`);
    }
  }
} catch (error) {
  console.error(`control_grpc: ${error.message}`);
  process.exitCode = 1;
} finally {
  control.close();
}
