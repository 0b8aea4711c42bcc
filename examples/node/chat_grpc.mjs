#!/usr/bin/env node
// An operator who answers everybody once: "hello". Until Ctrl-C.
// Usage: chat_grpc.mjs [HOST:PORT]
import {inspect} from 'node:util';
import {call, connect} from './gateway.mjs';

const chat = connect('chat', 'ChatService', process.argv[2]);

// A repeated requestId sends nothing: that is how everybody gets one answer, also from an operator who comes back.
const answer = (sessionId) =>
    call(chat, 'SendMessage', {sessionId, body: Buffer.from('hello'), requestId: `hello ${sessionId}`});

try {
  // What is kept comes first, then what is written while we watch.
  for await (const response of chat.WatchMessages({})) {
    if (response.update === 'caughtUp') {
      console.log('waiting');
    } else if (response.message?.direction === 'DIRECTION_INBOUND') {
      const {sessionId, body} = response.message;
      console.log(`${sessionId}: ${inspect(body.toString())}`);  // quoted: it may hold escape sequences
      await answer(sessionId);
    }
  }
} catch (error) {
  console.error(`chat_grpc: ${error.message}`);
  process.exitCode = 1;
} finally {
  chat.close();
}
