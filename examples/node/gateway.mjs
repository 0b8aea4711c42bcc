// Typed clients of the gateway, made from the .proto files when the program starts: nothing is generated.
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import grpc from '@grpc/grpc-js';
import {loadSync} from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));

// A client of rawgate.<area>.v1.<service>. Its streams are read by `for await`.
export function connect(area, service, target = '127.0.0.1:50051') {
  const options = {includeDirs: [PROTOS], enums: String, longs: Number, oneofs: true, defaults: true};
  const {rawgate} = grpc.loadPackageDefinition(loadSync(`rawgate/${area}/v1/${area}_service.proto`, options));
  return new rawgate[area].v1[service](target, grpc.credentials.createInsecure());
}

export const within = (seconds) => ({deadline: Date.now() + seconds * 1000});

// A unary call as a promise. Without a deadline it might wait for ever.
export function call(client, method, request = {}, seconds = 10) {
  return promisify(client[method]).call(client, request, within(seconds));
}
