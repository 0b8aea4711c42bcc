#!/usr/bin/env node
// The time through the gateway, and how far our clock is from the service's.
// Usage: time_grpc.mjs [HOST:PORT]
import {call, connect} from './gateway.mjs';

const SAMPLES = 8;
const time = connect('time', 'TimeService', process.argv[2]);

// Milliseconds since 1970: Date.now() tells whole ones, performance.now() counts on from there in fractions.
const origin = Date.now() - performance.now();
const now = () => origin + performance.now();
const milliseconds = ({seconds, nanos}) => seconds * 1000 + nanos / 1e6;

// One exchange, measured as NTP does (RFC 5905 section 8).
async function sample() {
  const sent = now();
  const response = await call(time, 'GetTime', {format: '%Y-%m-%d %H:%M:%S'});
  const received = now();
  const [from, until] = [response.serverReceiveTime, response.serverSendTime].map(milliseconds);
  const delay = (received - sent) - (until - from);
  const offset = ((from - sent) + (until - received)) / 2;
  return {delay, offset, formatted: response.formatted};
}

try {
  const samples = [];
  while (samples.length < SAMPLES) samples.push(await sample());
  // The exchange that was under way for the shortest time has the least room for error: half its delay, and the
  // millisecond that Date.now() may lack.
  const {delay, offset} = samples.reduce((best, each) => each.delay < best.delay ? each : best);
  console.log('time:', samples.at(-1).formatted);
  console.log(`offset: ${offset.toFixed(3)} ms, give or take ${(delay / 2 + 1).toFixed(3)} ms`);
} catch (error) {
  console.error(`time_grpc: ${error.message}`);
  process.exitCode = 1;
} finally {
  time.close();
}
