// Where a message ends: exec and file put its size, 4 bytes, little-endian, in front of it.

const SIZE_MAX = 1 << 20;

// Reads a socket. Its errors, that nobody listens among them, come out of the first read: call one before you await
// anything else.
export class Reader {
  #pieces;
  #rest = Buffer.alloc(0);

  constructor(socket) {
    this.#pieces = socket[Symbol.asyncIterator]();
  }

  // The next `size` bytes. TCP is a stream without borders: a piece that comes may be a part of what was sent, or more
  // than we want now, so we wait until enough is there and keep what is left.
  async exactly(size) {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < size) {
      const {value, done} = await this.#pieces.next();
      if (done) throw new Error(`the stream ended after ${length} of ${size} bytes`);
      parts.push(value);
      length += value.length;
    }
    const all = Buffer.concat(parts);
    this.#rest = all.subarray(size);
    return all.subarray(0, size);
  }

  // A message behind its size. What a stranger says about sizes is checked before it is believed.
  async sized(sizeMax = SIZE_MAX) {
    const size = (await this.exactly(4)).readInt32LE();
    if (size < 0 || size > sizeMax) throw new Error(`a message of ${size} bytes is not what we expect`);
    return this.exactly(size);
  }

  async json() {
    return JSON.parse(await this.sized());
  }
}

export function sendJson(socket, fields) {
  const text = Buffer.from(JSON.stringify(fields));
  const size = Buffer.alloc(4);
  size.writeInt32LE(text.length);
  socket.write(Buffer.concat([size, text]));
}
