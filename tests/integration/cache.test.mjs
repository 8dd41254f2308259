// `cache` from outside: what is asked again, what is not, and what the client is told of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { bundled, lichen, startLichen } from './server.mjs';

/// An endpoint that counts what it is asked and answers with the number.
let asked = 0;
let delay = 0;
const endpoint = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { stream } = JSON.parse(body);
  const text = `Answer ${++asked}.`;
  await new Promise((done) => setTimeout(done, delay));
  if (!stream) {
    response.setHeader('Content-Type', 'application/json');
    return response.end(JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 3 },
    }));
  }
  response.setHeader('Content-Type', 'text/event-stream');
  const send = (value) => response.write(`data: ${JSON.stringify(value)}\n\n`);
  send({ choices: [{ index: 0, delta: { content: text } }] });
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } });
  response.end('data: [DONE]\n\n');
});

let server;

before(async () => {
  await new Promise((listening) => endpoint.listen(0, '127.0.0.1', listening));
  server = await startLichen(`
models:
  small: {gguf: ${bundled.small}}
  cloud: {url: "http://127.0.0.1:${endpoint.address().port}/v1", model: m, price: {input: 1, output: 1}}
plans:
  exact: {cache: {of: cloud}}
  alike: {cache: {of: cloud, semantic: {embedder: small, threshold: 0.9}}}
serve: {plan: exact}
ledger: {path: none}
`);
});

after(async () => {
  assert.equal(await server?.stop(), 0);
  endpoint.close();
  endpoint.closeAllConnections();
});

async function chat(content, { model = 'exact', headers = {}, ...more } = {}) {
  const reply = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content }], ...more }),
  });
  assert.equal(reply.status, 200, server.output());
  const body = more.stream ? await reply.text() : await reply.json();
  return { body, cache: reply.headers.get('x-lichen-cache'), receipt: reply.headers.get('x-lichen-receipt') };
}

async function receiptOf({ receipt }) {
  return (await fetch(`${server.url}/v1/receipts/${receipt}`)).json();
}

test('what was asked before is not asked again', async () => {
  const first = await chat('one?');
  const second = await chat('one?');
  assert.deepEqual([first.cache, second.cache], ['miss', 'hit']);
  assert.equal(second.body.choices[0].message.content, first.body.choices[0].message.content);
  assert.deepEqual(second.body.usage, first.body.usage);
  const receipt = await receiptOf(second);
  assert.equal(receipt.decisions[0].mechanism, 'cache');
  assert.equal(receipt.decisions[0].choice, 'hit');
  assert.deepEqual(receipt.steps, []);
  assert.equal((await chat('one?', { temperature: 0.5 })).cache, 'miss');
});

test('a stream gets the same', async () => {
  const first = await chat('two?', { stream: true });
  const second = await chat('two?', { stream: true });
  const text = ({ body }) => body.match(/Answer \d+\./)[0];
  assert.equal(text(second), text(first));
  assert.equal((await receiptOf(second)).decisions[0].choice, 'hit');
});

test('no-cache asks anew, and what came then is kept', async () => {
  const first = await chat('three?');
  const fresh = await chat('three?', { headers: { 'Cache-Control': 'no-cache' } });
  const after = await chat('three?');
  const text = ({ body }) => body.choices[0].message.content;
  assert.deepEqual([fresh.cache, after.cache], ['miss', 'hit']);
  assert.notEqual(text(fresh), text(first));
  assert.equal(text(after), text(fresh));
});

test('several answers to one prompt are several', async () => {
  const { body } = await chat('four?', { n: 2 });
  assert.notEqual(body.choices[0].message.content, body.choices[1].message.content);
});

test('the same at the same time is asked once', async () => {
  delay = 200;
  const before = asked;
  const replies = await Promise.all(Array.from({ length: 8 }, () => chat('five?')));
  delay = 0;
  assert.equal(asked, before + 1);
  assert.equal(replies.filter(({ cache }) => cache === 'hit').length, 7);
});

test('other words of one question are similar, other numbers are not', async () => {
  const model = 'alike';
  assert.equal((await chat('What is 12 + 30?', { model })).cache, 'miss');
  const similar = await chat('What is 12 + 30? Thanks!', { model });
  assert.equal(similar.cache, 'similar');
  const receipt = await receiptOf(similar);
  assert.deepEqual(receipt.steps.map(({ model, role }) => `${model}:${role}`), ['small:embed']);
  assert.ok(receipt.decisions[0].score >= 0.9);
  assert.equal((await chat('What is 12 + 31? Thanks!', { model })).cache, 'miss');
});

test('metrics count them', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = (name) => Number(text.match(new RegExp(`^${name}{plan="exact"} (\\S+)`, 'm'))[1]);
  assert.ok(value('lichen_cache_hits_total') >= 10);
  assert.ok(value('lichen_cache_misses_total') >= 5);
  assert.ok(value('lichen_cache_entries') >= 4);
  assert.ok(value('lichen_cache_bytes') > 1000);
});

test('a threshold is calibrated on pairs, and is of its embedder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lichen-cache-'));
  const run = (...args) => {
    const running = promisify(execFile)(lichen, args, { cwd: folder });
    running.child.stdin.end();  // `run` reads what is piped into it
    return running;
  };
  try {
    // 40 hits without a wrong one say at 95 % that at most 7.3 % are.
    await run('cache', 'pairs', '-o', 'some.jsonl', '--count', '20');
    const some = (await readFile(join(folder, 'some.jsonl'), 'utf8')).trim().split('\n');
    const pairs = Array.from({ length: 40 }, (_, i) => JSON.stringify(
      { a: `What is ${i} + 30?`, b: `What is ${i} + 30? Thanks!`, same: true }));
    await writeFile(join(folder, 'pairs.jsonl'), [...some, ...pairs].join('\n') + '\n');
    const config = join(folder, 'lichen.yaml');
    const models = `models: {small: {gguf: ${bundled.small}, threads: 1}, other: {gguf: ${bundled.other}, threads: 1}}`;
    await writeFile(config, models);
    const { stdout } = await run('cache', 'calibrate', '--pairs', 'pairs.jsonl', '--embedder', 'small',
                                 '--alpha', '0.2', '-o', 'my.similarity', '--json', '-');
    const figures = JSON.parse(stdout);
    assert.ok(figures.threshold > 0.3 && figures.upper_bound <= 0.2 + 1e-9);
    assert.match(await readFile(join(folder, 'my.similarity'), 'utf8'), /^{"lichen_similarity":1/);
    const plan = (embedder) => `${models}
plans: {p: {cache: {of: small, semantic: {embedder: ${embedder}, calibration: my.similarity}}}}
ledger: {path: none}`;
    await writeFile(config, plan('small'));
    await run('run', 'What is 2 + 3?', '--plan', 'p');
    await writeFile(config, plan('other'));
    await assert.rejects(run('run', 'What is 2 + 3?', '--plan', 'p'), /was made with another embedder/);
    await writeFile(config, models);
    await assert.rejects(run('cache', 'calibrate', '--pairs', 'pairs.jsonl', '--embedder', 'small',
                             '--alpha', '0.0001', '-o', 'x'), /show no threshold/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
