// `lichen doctor`: models are looked at as plans use them, and one that is broken hides no other.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { bundled, lichen } from './server.mjs';

let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lichen-doctor-'));
});

after(() => rm(folder, { recursive: true, force: true }));

/// Its exit code and the states, by name, that it tells of the configuration.
async function examine(models, plans, ledger = 'path: none') {
  const config = join(folder, 'lichen.yaml');
  await writeFile(config, `models:\n${models}\nplans:\n${plans}\nledger: {${ledger}}\n`);
  return new Promise((done) => {
    execFile(lichen, ['doctor', '--json', '-', '--config', config], (error, out) => {
      const { models, plans } = JSON.parse(out);
      const states = Object.fromEntries([...models, ...plans].map((each) => [each.name, each]));
      done({ code: error?.code ?? 0, states });
    });
  });
}

const pair = `
  small: {gguf: "${bundled.small}"}
  large: {gguf: "${bundled.large}"}`;

test('a plan whose prompts are recorded breaks no model', async () => {
  const { code, states } = await examine(pair, '  p: {fallback: {of: [small, large]}}',
                                         'path: none, record: [p]');
  for (const name of ['small', 'large', 'p']) assert.equal(states[name].error ?? null, null, name);
  assert.equal(code, 0);
});

test('models that go in step are on one lane', async () => {
  const { code, states } = await examine(pair, '  both: {speculate: {draft: small, target: large}}');
  assert.equal(states.both.error ?? null, null);
  assert.ok(states.small.context > 0 && states.large.context > 0);
  assert.equal(code, 0);
});

test('a broken model takes only its own plans with it', async () => {
  const { code, states } = await examine(
    `${pair}\n  gone: {gguf: "${join(folder, 'gone.gguf')}"}`,
    '  both: {speculate: {draft: small, target: large}}\n  lost: {cascade: {small: gone, large: large}}');
  assert.match(states.gone.error, /gone\.gguf/);
  assert.ok(states.lost.error);
  assert.equal(states.both.error ?? null, null);
  assert.equal(states.small.error ?? null, null);
  assert.equal(code, 1);
});
