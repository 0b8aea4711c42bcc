// Upper-casing TCP echo as one writes it with Node's `net`. What rawgate-echo is measured against. Prints its port.
'use strict';

const net = require('node:net');

const server = net.createServer({noDelay: true}, (socket) => {
  socket.on('data', (chunk) => {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte >= 97 && byte <= 122) chunk[i] = byte - 32;
    }
    socket.write(chunk);
  });
  socket.on('error', () => socket.destroy());
});

server.listen({host: '127.0.0.1', port: 0, backlog: 4096}, () => {
  console.log(server.address().port);
});
