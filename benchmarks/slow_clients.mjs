// Many clients that keep a server waiting, and the endpoint of the long answers that they do not
// read: a process of its own, so that they slow nobody else. Forked by slowloris.mjs. Tells the
// endpoint's url at first; then, told {port, count, kind, model}, opens connections and tells each
// second how many there are and how many were closed and opened again; told {stop: true}, ends them.
import net from 'node:net';

import {delta, startEndpoint} from './endpoint.mjs';

// Far more than what sockets on the way hold.
const parts = Array(2000).fill(delta({content: 'word '.repeat(3000)}));
const endpoint = await startEndpoint(() => ({parts}));

let attack = null;
let counts = {connected: 0, closed: 0};
const sockets = new Set();

const fields = (port) => `Host: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`;
// What a client sends at first, and what it sends each second.
const ways = {
  idle: () => ['', ''],
  header: (port) => [`POST /v1/chat/completions HTTP/1.1\r\n${fields(port)}X-Slow: `, 'a'],
  body: (port) => [
    `POST /v1/chat/completions HTTP/1.1\r\n${fields(port)}Content-Length: 100000\r\n\r\n{"model": "`,
    'a',
  ],
  unread: (port, model) => {
    const body = JSON.stringify({
      model,
      stream: true,
      messages: [{role: 'user', content: 'Go on.'}],
    });
    return [
      `POST /v1/chat/completions HTTP/1.1\r\n${fields(port)}Content-Length: ${body.length}\r\n\r\n${body}`,
      '',
    ];
  },
};

function open(mine) {
  if (mine !== attack) return;
  const socket = net.connect({port: mine.port, host: '127.0.0.1', noDelay: true});
  sockets.add(socket);
  socket.once('connect', () => {
    counts.connected += 1;
    socket.once('close', () => {
      counts.connected -= 1;
    });
    socket.write(mine.first);
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    sockets.delete(socket);
    if (mine !== attack) return;
    counts.closed += 1;
    setTimeout(open, 10, mine);
  });
  if (mine.kind !== 'unread') socket.resume(); // sees the end of the connection
}

setInterval(() => {
  if (!attack) return;
  let i = 0;
  for (const socket of sockets) {
    // Spread over the second.
    if (attack.each)
      setTimeout(() => socket.writable && socket.write(attack?.each ?? ''), (i++ * 997) % 1000);
  }
  process.send(counts);
}, 1000);

process.on('message', async ({stop, ...told}) => {
  if (stop) {
    attack = null;
    for (const socket of sockets) socket.destroy();
    return;
  }
  const [first, each] = ways[told.kind](told.port, told.model);
  const mine = {...told, first, each};
  attack = mine;
  counts = {connected: 0, closed: 0};
  for (let i = 0; i < told.count; ++i) {
    open(mine);
    if (i % 50 === 49)
      await new Promise((done) => {
        setTimeout(done, 10);
      });
  }
});
process.once('disconnect', () => process.exit(0));
process.send({url: endpoint.url});
