// `lichen distill watch` on the bundled pair: users ask, the small model learns.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { bundled, lichen, startLichen, startProgram } from './server.mjs';

const run = promisify(execFile);
const trainer = [join(dirname(lichen), 'lichen-distill'), join(dirname(lichen), 'distill/lichen-distill')]
  .some(existsSync);
const skip = trainer ? false : 'this build has no lichen-distill, which trains';
const count = 48;

let folder;
let config;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lichen-watch-'));
  config = join(folder, 'lichen.yaml');
  await writeFile(config, `models:
  small: {gguf: "${bundled.small}", versions: "${join(folder, 'learned')}"}
  large: {gguf: "${bundled.large}"}
ledger: {path: "${join(folder, 'ledger.db')}", record: [small]}
serve: {plan: small}
`);
});

after(() => rm(folder, { recursive: true, force: true }));

const start = (args) => startProgram(['--config', config, 'distill', ...args], folder);

const watching = ['watch', 'small', '--teacher', 'large', '--minutes', '0.1', '--held-out', '0.3', '--json', '-'];
const once = [...watching, '--priority', 'usual', '--once', '--', '--batch-tokens', '512', '--measure-every', '4'];
const state = async () => JSON.parse(await readFile(join(folder, 'learned/watch/state.json'), 'utf8'));

test('without recorded prompts there is nothing to learn', { skip }, async () => {
  const { code, err } = await start(once).ended;
  assert.equal(code, 2, err);
  assert.match(err, /no recorded prompt/);
});

test('what users asked is learned in one round', { skip }, async () => {
  const { stdout } = await run(lichen, ['suite', '--split', 'train', '--families', 'add,weekday,sort',
    '--count', String(count)]);
  const prompts = stdout.trim().split('\n').map((line) => JSON.parse(line).prompt);
  const server = await startLichen(await readFile(config, 'utf8'));
  try {
    for (const content of prompts) {
      const answer = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'small', max_tokens: 32, messages: [{ role: 'user', content }] }),
      });
      assert.equal(answer.status, 200);
    }
  } finally {
    await server.stop();
  }

  // Killed while the teacher is asked; the same command plays the same round.
  const killed = start(once);
  const journal = join(folder, 'learned/watch/learned.safetensors.partial');
  while (killed.child.exitCode === null && !existsSync(journal)) {
    await new Promise((done) => setTimeout(done, 5));
  }
  killed.child.kill('SIGKILL');
  assert.equal((await killed.ended).code, 'SIGKILL');
  const before = await state();
  assert.equal(before.rounds, 0);
  assert.equal(before.begun_with, new Set(prompts).size);

  const { code, out, err } = await start(once).ended;
  assert.equal(code, 0, err);
  const round = JSON.parse(out);
  assert.equal(round.round, 1);
  assert.equal(round.prompts, before.begun_with);
  assert.ok(round.learned > 0 && round.held_out > 0, out);
  assert.ok(round.minutes > 0 && round.minutes < 2, out);
  assert.equal(round.agreement.all.n, round.held_out);
  assert.equal(round.version !== null, round.agreement.promoted);
  assert.deepEqual(await state(), { rounds: 1, prompts: before.begun_with, ended: (await state()).ended,
    begun_with: 0, trained: false });
});

test('it waits for new prompts, and a signal ends it', { skip }, async () => {
  // At the priority that it has otherwise it may wait for long on a machine that is busy.
  const { child, ended } = start([...watching, '--priority', 'usual']);
  const lock = join(folder, 'learned/watch/lock');
  while (child.exitCode === null && !existsSync(lock)) {
    await new Promise((done) => setTimeout(done, 5));
  }
  await new Promise((done) => setTimeout(done, 500));
  const other = await start(watching).ended;
  assert.notEqual(other.code, 0);
  assert.match(other.err, /SCHED_IDLE|nice 19/);
  assert.match(other.err, /another `lichen distill watch`/);
  child.kill('SIGTERM');
  const { code, out, err } = await ended;
  assert.equal(code, 0, err);
  assert.equal(out, '');
});
