#!/usr/bin/env node
// echo through the gateway: one call, then a conversation on one stream.
// Usage: echo_grpc.mjs [HOST:PORT]
import {call, connect, within} from './gateway.mjs';

const echo = connect('echo', 'EchoService', process.argv[2]);
try {
  const {payload} = await call(echo, 'Echo', {payload: Buffer.from('hello')});
  console.log('echo:', payload.toString());

  const conversation = echo.Converse(within(10));
  for (const word of ['one', 'two', 'three']) conversation.write({payload: Buffer.from(word)});
  conversation.end();  // our side of the stream; the answers still come
  for await (const {payload} of conversation) console.log('converse:', payload.toString());
} catch (error) {
  console.error(`echo_grpc: ${error.message}`);
  process.exitCode = 1;
} finally {
  echo.close();
}
