// What a browser does for a web page: preflights, requests with an Origin, streams.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { bundled, startLichen } from './server.mjs';

let server;

before(async () => {
  server = await startLichen(`
models:
  small: {gguf: ${bundled.small}}
serve:
  keys: false
  api_key_env: TEST_KEY
  hosts: [lichen.internal]
  origins: ['https://app.example', 'http://localhost:3000']
ledger: {path: none}
`, { TEST_KEY: 'secret' });
});
after(async () => assert.equal(await server?.stop(), 0));

/// With the headers that only browsers may set.
function ask(method, path, headers, body) {
  return new Promise((done, failed) => {
    const asked = request(server.url + path, { method, headers }, (reply) => {
      let text = '';
      reply.on('data', (data) => (text += data));
      reply.on('end', () => done({ status: reply.statusCode, headers: reply.headers, text }));
    });
    asked.on('error', failed);
    asked.end(body);
  });
}

const chat = JSON.stringify({
  model: 'small', messages: [{ role: 'user', content: 'What is 2 + 3?' }], max_tokens: 8, stream: true,
});
const page = { Origin: 'https://app.example' };

test('a page asks, after it has asked whether it may', async () => {
  const preflight = await ask('OPTIONS', '/v1/chat/completions', {
    ...page, 'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type',
  });
  assert.equal(preflight.status, 200, preflight.text);
  assert.equal(preflight.headers['access-control-allow-origin'], page.Origin);
  assert.equal(preflight.headers['access-control-allow-headers'], 'authorization,content-type');
  assert.match(preflight.headers['access-control-allow-methods'], /POST/);

  const reply = await ask('POST', '/v1/chat/completions', {
    ...page, Authorization: 'Bearer secret', 'Content-Type': 'application/json',
  }, chat);
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers['access-control-allow-origin'], page.Origin);
  assert.match(reply.headers['access-control-expose-headers'], /x-lichen-receipt/);
  assert.match(reply.text, /data: \[DONE\]/);
});

test('without the key it may not, and reads why', async () => {
  const reply = await ask('POST', '/v1/chat/completions', page, chat);
  assert.equal(reply.status, 401);
  assert.equal(reply.headers['access-control-allow-origin'], page.Origin);
});

test('pages that are not named get nothing', async () => {
  for (const origin of ['https://evil.example', 'http://app.example', 'null']) {
    const reply = await ask('POST', '/v1/chat/completions', {
      Origin: origin, Authorization: 'Bearer secret',
    }, chat);
    assert.equal(reply.status, 403, origin);
    assert.equal(reply.headers['access-control-allow-origin'], undefined);
  }
});

test('hosts that are named are served, others are not', async () => {
  const listed = (host) => ask('GET', '/v1/models', { Host: host, Authorization: 'Bearer secret' });
  assert.equal((await listed('lichen.internal')).status, 200);
  assert.equal((await listed('rebound.example')).status, 403);
});
