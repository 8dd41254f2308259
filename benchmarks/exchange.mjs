// HTTP exchanges over plain sockets, with the moments that a client library does not tell.
import net from 'node:net';

const kept = new Map(); // connections that may be used again, by port

function connect(port) {
  const socket = net.connect({port, host: '127.0.0.1', noDelay: true});
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

/// One POST, or with `body` null one GET. Resolves to {status, headers, text, first, ms, receipt}:
/// `first` is when `until` had come, or else the first byte of the body, and `ms` when the end had,
/// from the first byte sent on. With `keep` the connection is kept for the next one to the port.
/// With `leave` the client goes as soon as `first` is known. Rejects where the connection breaks
/// before the end.
export async function exchange({
  port,
  body,
  headers = {},
  target = '/v1/chat/completions',
  keep = false,
  until,
  leave = false,
}) {
  const waiting = kept.get(port) ?? [];
  kept.set(port, waiting);
  const socket = (keep && waiting.pop()) || (await connect(port));
  const fields = Object.entries({
    Host: `127.0.0.1:${port}`,
    'Content-Type': 'application/json',
    ...(body === null ? {} : {'Content-Length': Buffer.byteLength(body)}),
    ...headers,
  });
  const message =
    `${body === null ? 'GET' : 'POST'} ${target} HTTP/1.1\r\n` +
    `${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body ?? ''}`;
  try {
    const reply = {...(await answered(socket, message, until, leave)), socket};
    if (keep && !leave && reply.headers.connection !== 'close') waiting.push(socket);
    else socket.destroy();
    return reply;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/// Ends the connections that are kept.
export function hangUp(port) {
  for (const socket of kept.get(port) ?? []) socket.destroy();
  kept.delete(port);
}

function answered(socket, message, until, leave) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    let raw = '';
    let first = null;
    const end = (settle, value) => {
      socket.off('data', data).off('close', closed).off('error', failed);
      settle(value);
    };
    const failed = (error) => end(reject, error);
    const closed = () => end(reject, new Error('the connection was closed within the response'));
    const data = (bytes) => {
      raw += bytes.toString('latin1');
      const at = raw.indexOf('\r\n\r\n');
      if (at < 0) return;
      if (first === null && raw.length > at + 4 && (!until || raw.includes(until, at))) {
        first = performance.now() - begun;
      }
      if (leave && first !== null) return end(resolve, {headers: {}, first});
      const reply = parsed(raw, at);
      if (reply) end(resolve, {...reply, first, ms: performance.now() - begun});
    };
    socket.on('data', data).once('close', closed).once('error', failed);
    socket.write(message);
  });
}

/// The response in `raw`, whose header ends at `at`; null while its body is not complete.
function parsed(raw, at) {
  const chunked = /\r\ntransfer-encoding: chunked/i.test(raw.slice(0, at));
  const length = raw.slice(0, at).match(/\r\ncontent-length: (\d+)/i);
  const body = raw.slice(at + 4);
  if (chunked ? !body.endsWith('0\r\n\r\n') : body.length < Number(length?.[1] ?? Infinity))
    return null;
  const [line, ...fields] = raw.slice(0, at).split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const text = Buffer.from(chunked ? unchunked(body) : body, 'latin1').toString();
  return {status: Number(line.split(' ')[1]), headers, text, receipt: headers['x-lichen-receipt']};
}

function unchunked(body) {
  let text = '';
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, end), 16);
    if (!size) return text;
    text += body.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
