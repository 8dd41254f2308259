// `lichen eval` and `lichen demo` on the bundled pair: the same figures twice, an interruption at any
// moment, plans that fail, judges, and the files that they write.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startFakeRemote } from './fake_remote.mjs';
import { bundled, startProgram } from './server.mjs';

const families = 'add,sort,fact,judge,weekday,sets';
let folder;
let config;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lichen-eval-'));
  config = join(folder, 'lichen.yaml');
  await writeFile(config, `
models:
  small: {gguf: "${bundled.small}"}
  large: {gguf: "${bundled.large}"}
  gone: {url: "http://127.0.0.1:1/v1", model: gone, retries: 0}
plans:
  both: {cascade: {small: small, large: large, threshold: -0.05}}
  short: {route: {by: length, threshold: 90, small: small, large: large}}
  alias: both
ledger: {path: none}
`);
});

after(() => rm(folder, { recursive: true, force: true }));

const start = (args, file = config) => startProgram([...args, '--config', file], folder);

const run = (...args) => start(args).ended;

/// A run that must succeed, and its JSON.
async function report(...args) {
  const { code, out, err } = await run('eval', '--json', '-', '--families', families, ...args);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

/// What may not differ between two runs of one seed.
const quality = ({ rows, curves }) => ({
  rows: rows.map((row) => ({
    plan: row.plan, n: row.n, accuracy: row.accuracy, low: row.accuracy_low,
    high: row.accuracy_high, against: row.against_large, requests: row.large_request_share,
    tokens: row.large_token_share, in: row.tokens_in, out: row.tokens_out,
    failures: row.failures, families: row.families, levels: row.levels,
  })),
  curves,
});

const wholeLines = async (file) =>
  existsSync(file) ? (await readFile(file, 'utf8')).split('\n').length - 1 : 0;

test('two runs of one seed give the same quality, another seed other tasks', async () => {
  const plans = ['--plans', 'both,short', '--limit', '24'];
  const one = await report(...plans);
  assert.deepEqual(one.rows.map((row) => row.plan), ['small', 'large', 'both', 'short']);
  assert.deepEqual(one.curves.map((curve) => curve.plan), ['both', 'short']);
  assert.deepEqual(one.curves[0].curves.map((curve) => curve.name),
    ['both', 'length', 'random', 'oracle']);
  assert.deepEqual(quality(await report(...plans)), quality(one));
  const other = await report(...plans, '--seed', '2');
  assert.notEqual(other.origin.settings['fingerprint of the tasks'],
    one.origin.settings['fingerprint of the tasks']);
});

test('kill -9 at any moment loses and repeats nothing', async () => {
  const journal = join(folder, 'killed.jsonl');
  const args = ['--plans', 'small,both', '--limit', '24', '--journal', journal];
  const whole = await report(...args);
  assert.ok(!existsSync(journal), 'a complete measurement leaves no journal');
  let kills = 0;
  for (const wanted of [4, 30, 55]) {
    const { child, ended } = start(['eval', '--json', '-', '--families', families, ...args]);
    let over = false;
    ended.then(() => (over = true));
    while (!over && (await wholeLines(journal)) < wanted) await sleep(2);
    child.kill('SIGKILL');
    if ((await ended).code === 'SIGKILL') kills += 1;
  }
  assert.ok(kills > 0, 'none of the runs was still at work');
  const before = await wholeLines(journal);
  const resumed = await report(...args);
  assert.deepEqual(quality(resumed), quality(whole));
  assert.ok(before > 4 && resumed.rows.every((row) => row.tokens_per_s > 0));
});

test('Ctrl-C keeps what is done and says so', async () => {
  const journal = join(folder, 'stopped.jsonl');
  const args = ['eval', '--plans', 'both', '--limit', '24', '--families', families,
    '--journal', journal];
  const { child, ended } = start(args);
  while ((await wholeLines(journal)) < 3) await sleep(2);
  child.kill('SIGINT');
  const { code, err } = await ended;
  assert.equal(code, 130, err);
  assert.match(err, /interrupted; \d+ of 72 answers are kept in .*stopped\.jsonl/);
  const resumed = await run(...args);
  assert.equal(resumed.code, 0, resumed.err);
  assert.match(resumed.err, /going on from .*stopped\.jsonl with \d+ of 72 answers/);
});

test('a journal of other options, and any other file, is left alone', async () => {
  const journal = join(folder, 'other.jsonl');
  const args = ['eval', '--plans', 'small', '--families', families, '--journal', journal];
  const { child, ended } = start([...args, '--limit', '60']);
  while ((await wholeLines(journal)) < 2) await sleep(2);
  child.kill('SIGKILL');
  await ended;
  const before = await readFile(journal, 'utf8');
  const refused = await run(...args, '--limit', '59');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /journal of another measurement/);
  assert.equal(await readFile(journal, 'utf8'), before);
  assert.equal((await run(...args, '--limit', '4', '--fresh')).code, 0);

  const notes = join(folder, 'notes.txt');
  await writeFile(notes, 'my notes\n');
  const foreign = await run('eval', '--plans', 'small', '--limit', '2', '--fresh', '--journal', notes);
  assert.equal(foreign.code, 2);
  assert.equal(await readFile(notes, 'utf8'), 'my notes\n');
});

test('a plan that fails is counted, shown, and wrong', async () => {
  const { code, out, err } = await run('eval', '--plans', 'small,gone', '--limit', '6', '--json', '-');
  assert.equal(code, 1);
  assert.match(err, /6 of 6 by `gone` \(6 upstream\)/);
  const gone = JSON.parse(out).rows.find((row) => row.plan === 'gone');
  assert.deepEqual([gone.n, gone.accuracy, gone.failures, gone.p50_ms], [6, 0, 6, null]);
  assert.deepEqual(gone.errors, { upstream: 6 });
});

test('a suite of one\'s own, judged by a model', async () => {
  const suite = join(folder, 'mine.jsonl');
  await writeFile(suite, [
    { prompt: 'What is 2 + 3?', reference: '5', check: 'numeric' },
    { prompt: 'Say something.', check: 'judge' },
  ].map((line) => JSON.stringify(line)).join('\n'));
  const args = ['eval', '--suite', suite, '--plans', 'small', '--json', '-'];
  const judgeless = await run(...args);
  assert.equal(judgeless.code, 2);
  assert.match(judgeless.err, /--judge/);
  const unknown = await run(...args, '--judge', 'nobody');
  assert.equal(unknown.code, 2);
  const judged = await run(...args, '--judge', 'large');
  const [row] = JSON.parse(judged.out).rows;
  assert.equal(row.n, 2);
  assert.equal(row.large_request_share, 0, 'the judge is no cost of the plan');
});

test('what a remote model costs, and what was sent to it', async (t) => {
  const remote = await startFakeRemote();
  t.after(() => remote.stop());
  const priced = join(folder, 'priced.yaml');
  await writeFile(priced, `
models:
  small: {gguf: "${bundled.small}"}
  cloud: {url: "${remote.url}", model: big-1, price: {input: 2, output: 10}}
plans:
  short: {route: {by: length, threshold: 12, small: small, large: cloud}}
`);
  const suite = join(folder, 'echo.jsonl');
  await writeFile(suite, ['Bern', 'Is Bern large?', 'Bern!', 'Where is Bern, please?']
    .map((prompt) => JSON.stringify({ prompt, reference: 'said', check: 'contains' })).join('\n'));
  const page = join(folder, 'priced.html');
  const figure = join(folder, 'priced.svg');
  const { code, out, err } = await start(['eval', '--suite', suite, '--plans', 'short', '--json', '-',
    '--html', page, '--svg', figure], priced).ended;
  assert.equal(code, 0, err);
  const [small, cloud, short] = JSON.parse(out).rows;
  const usd = (11 * 2 + 7 * 10) / 1e6;  // of one answer: what the endpoint counts
  assert.deepEqual([small.plan, small.usd, small.bytes_sent], ['small', null, 0]);
  assert.deepEqual([cloud.plan, cloud.accuracy, cloud.large_request_share], ['cloud', 1, 1]);
  assert.ok(Math.abs(cloud.usd - 4 * usd) < 1e-12 && cloud.bytes_sent > 400);
  assert.equal(short.large_request_share, 0.5);
  assert.ok(Math.abs(short.usd_large - 2 * usd) < 1e-12 && short.usd === short.usd_large);
  assert.ok(short.bytes_sent > 200 && short.bytes_sent < cloud.bytes_sent);
  assert.ok(short.p50_first_token_ms <= short.p50_ms);
  assert.ok(remote.requests.every(({ body }) => body.temperature === 0 && body.stream));
  assert.match(await readFile(page, 'utf8'), /left the device[^]*Quality against cost/);
  assert.match(await readFile(figure, 'utf8'), /^<svg xmlns=[^]*USD for 1,000 requests[^]*<\/svg>/);
});

test('demo writes its report', async () => {
  const page = join(folder, 'page.html');
  const { code, out, err } = await run('demo', '--quick', '--plans', 'small,both', '--html', page);
  assert.ok(code === 0 || /had no answer that could be checked/.test(err), err);
  assert.match(out, /^plan +right +95 % interval/);
  assert.match(err, /written: .*page\.html/);
  assert.match(await readFile(page, 'utf8'), /^<!DOCTYPE html>[\s\S]*<\/html>\n\n?$/);
});
