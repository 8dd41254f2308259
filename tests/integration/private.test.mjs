// `mask` from outside: what an endpoint gets of a request with private values in it, and what the
// client gets of its answer.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { bundled, startLichen } from './server.mjs';

const email = 'zoe.lee@example.org';
const phone = '+1 212 555 0184';
const name = 'Zoë "Ox" Lee';
const asked = `Write to ${name}, ${email}, or call ${phone}.`;
const values = [email, phone, 'Zoë', 'Ox', 'zoe', '555 0184'];

/// An endpoint that keeps the bytes it got and answers with the text of the last message, cut into
/// pieces of `size` characters; with tools it calls the first one with that text.
let size = 1;
async function startEcho() {
  const bodies = [];
  const server = createServer(async (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    for await (const part of request) body += part;
    bodies.push(body);
    const { input, messages, stream, tools } = JSON.parse(body);
    const json = (value) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(value));
    };
    if (input) {
      return json({ data: input.map((_, index) => ({ index, embedding: [1, index] })),
                    usage: { prompt_tokens: 1 } });
    }
    const said = messages.at(-1).content;
    const text = tools ? JSON.stringify({ body: said }) : `You said: ${said} Done.`;
    const call = (part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] });
    if (!stream) {
      const message = { role: 'assistant', content: tools ? null : text };
      if (tools) {
        message.tool_calls = [{ id: 'call_1', type: 'function',
                                function: { name: tools[0].function.name, arguments: text } }];
      }
      return json({ choices: [{ index: 0, message, finish_reason: tools ? 'tool_calls' : 'stop' }],
                    usage: { prompt_tokens: 9, completion_tokens: 3 } });
    }
    response.setHeader('Content-Type', 'text/event-stream');
    const send = (delta, finish_reason = null) =>
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
    if (tools) {
      send({ tool_calls: [{ index: 0, id: 'call_1', type: 'function',
                            function: { name: tools[0].function.name, arguments: '' } }] });
    }
    const letters = [...text];
    for (let at = 0; at < letters.length; at += size) {
      const part = letters.slice(at, at + size).join('');
      send(tools ? call(part) : { content: part });
    }
    send({}, tools ? 'tool_calls' : 'stop');
    response.end('data: [DONE]\n\n');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    bodies,
    stop: () => new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    }),
  };
}

let echo, server, folder;

before(async () => {
  echo = await startEcho();
  folder = await mkdtemp(join(tmpdir(), 'lichen-private-'));
  const words = join(folder, 'words.txt');
  await writeFile(words, `PERSON: ${name}\n`);
  const options = `kinds: [EMAIL, PHONE, PERSON], dictionary: "${words}"`;
  server = await startLichen(`
models:
  small: {gguf: ${bundled.small}, threads: 1}
  cloud: {url: "${echo.url}", model: big, retries: 0}
plans:
  default: {mask: {plan: cloud, ${options}}}
  cascade: {mask: {plan: {cascade: {small: small, large: cloud, threshold: 0}}, ${options}}}
  block: {mask: {plan: cloud, policy: block, ${options}}}
  local: {mask: {plan: cloud, policy: local_only, local: small, ${options}}}
  named: {mask: {plan: cloud, names: ${bundled.names}}}
ledger: {path: none}
`, { XDG_CACHE_HOME: folder });
});

after(async () => {
  assert.equal(await server?.stop(), 0, server?.output());
  await echo?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function post(fields, path = '/v1/chat/completions') {
  const reply = await fetch(server.url + path, {
    method: 'POST',
    body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: asked }],
                           ...fields }),
  });
  return { reply, text: await reply.text() };
}

/// The content and the tool's arguments of a stream.
function joined(text) {
  const deltas = text.split('\n\n').filter((event) => event.startsWith('data: {'))
    .flatMap((event) => JSON.parse(event.slice(6)).choices).map(({ delta }) => delta);
  return {
    content: deltas.map(({ content }) => content ?? '').join(''),
    arguments: deltas.flatMap(({ tool_calls }) => tool_calls ?? [])
      .map((call) => call.function?.arguments ?? '').join(''),
  };
}

function nothingPrivateIn(text, of) {
  for (const value of values) {
    assert.ok(!text.toLowerCase().includes(value.toLowerCase()), `${of} holds ${value}: ${text}`);
  }
}

async function receiptOf({ reply }) {
  const id = reply.headers.get('x-lichen-receipt');
  return (await fetch(`${server.url}/v1/receipts/${id}`)).json();
}

const tools = [{ type: 'function',
                 function: { name: 'send', description: `Mails for ${email}`,
                             parameters: { type: 'object', properties: { body: { type: 'string' } } } } }];

test('a stream is restored however it is cut, and the receipt counts', async () => {
  for (size = 1; size <= 24; ++size) {
    const answer = await post({ stream: true });
    assert.equal(joined(answer.text).content, `You said: ${asked} Done.`, `pieces of ${size}`);
    const { decisions, steps } = await receiptOf(answer);
    assert.deepEqual(decisions.map(({ mechanism, choice, reason }) => [mechanism, choice, reason]),
                     [['mask', 'mask', 'cloud: 1 EMAIL, 1 PHONE, 1 PERSON']]);
    assert.ok(steps[0].bytes_sent > 0);
  }
  assert.ok(echo.bodies.at(-1).includes('Write to [PERSON_1], [EMAIL_1], or call [PHONE_1].'));
});

test('names that no list has are found by the model of names', async () => {
  const content = 'Dear Ms. Okonkwo, please meet Tobias Lindqvist of Hallberg Logistics in Rotterdam on Monday.';
  const { text } = await post({ model: 'named', messages: [{ role: 'user', content }] });
  const sent = echo.bodies.at(-1);
  for (const word of ['Okonkwo', 'Tobias', 'Lindqvist', 'Hallberg', 'Rotterdam']) {
    assert.ok(!sent.includes(word), `${word} left: ${sent}`);
  }
  assert.ok(sent.includes('Monday'), 'a day tells little');
  assert.equal(JSON.parse(text).choices[0].message.content, `You said: ${content} Done.`);
});

test('an answer that is not streamed is restored', async () => {
  const { text } = await post({});
  assert.equal(JSON.parse(text).choices[0].message.content, `You said: ${asked} Done.`);
});

test("tools' arguments are restored as JSON, streamed or not", async () => {
  for (size = 1; size <= 24; ++size) {
    const { text } = await post({ stream: true, tools });
    assert.deepEqual(JSON.parse(joined(text).arguments), { body: asked }, `pieces of ${size}`);
  }
  const whole = JSON.parse((await post({ tools })).text).choices[0];
  assert.equal(whole.finish_reason, 'tool_calls');
  const { arguments: written } = whole.message.tool_calls[0].function;
  assert.deepEqual(JSON.parse(written), { body: asked });
  const back = await post({ tools, messages: [
    { role: 'user', content: asked }, whole.message,
    { role: 'tool', tool_call_id: 'call_1', content: JSON.stringify({ sent: email }) }] });
  assert.deepEqual(JSON.parse(JSON.parse(back.text).choices[0].message.tool_calls[0].function.arguments),
                   { body: JSON.stringify({ sent: email }) });
});

test('large is asked with placeholders after small has read all', async () => {
  const answer = await post({ model: 'cascade', max_tokens: 16 });
  const receipt = await receiptOf(answer);
  assert.ok(receipt.steps.some(({ model, remote }) => model === 'small' && !remote));
  assert.ok(receipt.steps.some(({ model, remote }) => model === 'cloud' && remote));
  nothingPrivateIn(JSON.stringify(receipt), 'the receipt');
});

test('block refuses, local_only answers here, and nothing is sent', async () => {
  const before = echo.bodies.length;
  const blocked = await post({ model: 'block' });
  assert.equal(blocked.reply.status, 400);
  const { error } = JSON.parse(blocked.text);
  assert.equal(error.code, 'content_filter');
  assert.match(error.message, /1 EMAIL, 1 PHONE, 1 PERSON/);
  nothingPrivateIn(error.message, 'the error');
  const here = await post({ model: 'local', max_tokens: 8 });
  assert.equal(here.reply.status, 200);
  assert.ok((await receiptOf(here)).steps.every(({ remote }) => !remote));
  assert.equal(echo.bodies.length, before);
  await post({ model: 'local', messages: [{ role: 'user', content: 'What is 12 + 30?' }] });
  assert.equal(echo.bodies.length, before + 1);
});

test('a body that holds a value where none is masked is not sent', async () => {
  const before = echo.bodies.length;
  const refused = await post({ tools: [{ type: 'function', function: { name: 'send', parameters:
    { type: 'object', properties: { [email]: { type: 'string' } } } } }] });
  assert.equal(refused.reply.status, 400);
  const { error } = JSON.parse(refused.text);
  assert.match(error.message, /EMAIL.*\[EMAIL_1\]/);
  nothingPrivateIn(error.message, 'the error');
  assert.equal(echo.bodies.length, before);
});

test('metrics count, and nothing private has been sent or logged', async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const masked = metrics.match(/lichen_masked_total\{[^}]*kind="EMAIL"[^}]*plan="default"[^}]*\} (\d+)/);
  assert.ok(Number(masked?.[1]) > 48, metrics);
  assert.match(metrics, /lichen_egress_refused_total\{plan="default"\} 1\b/);
  assert.ok(echo.bodies.length > 50);
  for (const body of echo.bodies) nothingPrivateIn(body, 'a body');
  nothingPrivateIn(server.output(), 'the log');
});
