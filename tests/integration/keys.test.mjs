// Virtual keys: made by `lichen keys` beside a running server, used by a real client, spent.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import OpenAI from 'openai';

import { bundled, lichen, startLichen } from './server.mjs';

let folder;
let config;
let server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lichen-keys-'));
  const text = `
models:
  small: {gguf: ${bundled.small}, price: {input: 100, output: 1000}}
plans:
  plain: {fallback: {of: [small]}}
serve: {plan: small, keys: true, admin_key_env: TEST_ADMIN_KEY}
ledger: {path: ${join(folder, 'ledger.db')}, durable: true}
`;
  config = join(folder, 'lichen.yaml');
  await writeFile(config, text);
  server = await startLichen(text, { TEST_ADMIN_KEY: 'administrator' });
});

after(async () => {
  assert.equal(await server?.stop(), 0);
  await rm(folder, { recursive: true, force: true });
});

/// The exit code and output of `lichen keys`, which is another process than the server.
function keys(...args) {
  return new Promise((done) => {
    execFile(lichen, ['keys', ...args, '--config', config], (error, out, err) =>
      done({ code: error?.code ?? 0, out, err }));
  });
}

const client = (apiKey) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
const ask = (apiKey, more = {}) =>
  client(apiKey).chat.completions.create({
    model: 'small', messages: [{ role: 'user', content: 'What is 2 + 3?' }], max_tokens: 8, ...more,
  });
const status = (asked) => asked.then(() => 200, (error) => error.status);

/// Asks until the answer has that status; the server looks for changes every second.
async function soon(wanted, asking) {
  for (let i = 0; i < 100; ++i) {
    if ((await status(asking())) === wanted) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`never ${wanted}`);
}

test('a key made elsewhere is let in, changed and revoked', async () => {
  assert.equal(await status(ask('lk-unknown')), 401);
  const made = await keys('make', 'laptop', '--plan', 'small');
  assert.equal(made.code, 0, made.err);
  const key = made.out.trim();
  await soon(200, () => ask(key));
  assert.equal(await status(ask(key, { model: 'plain' })), 404);
  assert.deepEqual((await client(key).models.list()).data.map((model) => model.id), ['small']);
  assert.equal((await keys('change', 'laptop', '--unlimited', 'plans')).code, 0);
  await soon(200, () => ask(key, { model: 'plain' }));
  assert.equal((await keys('revoke', 'laptop')).code, 0);
  await soon(401, () => ask(key));
});

test('a budget ends, and the list says what was spent', async () => {
  const made = await keys('make', 'ci', '--budget', '0.1', '--period', 'month', '--json');
  const { key, id } = JSON.parse(made.out);
  await soon(200, () => ask(key));
  let spent = 0;
  for (let i = 0; i < 100 && !spent; ++i) {
    const failed = await ask(key).then(() => null, (error) => error);
    if (failed === null) continue;
    assert.equal(failed.status, 429);
    assert.equal(failed.code, 'insufficient_quota');
    const list = JSON.parse((await keys('--json')).out);
    spent = list.find((entry) => entry.id === id).used.usd;
  }
  // Each answer costs about a cent. What is left does not hold another.
  assert.ok(spent > 0.05 && spent <= 0.1, `spent ${spent}`);
  const table = (await keys()).out;
  assert.match(table, /ci +valid .*\$0\.10 a month/);
});

test('the receipt of a whole reply is on disk', async () => {
  const { key, id } = JSON.parse((await keys('make', 'durable', '--json')).out);
  await soon(200, () => ask(key));
  const { response } = await ask(key).withResponse();
  const receipt = response.headers.get('x-lichen-receipt');
  const shown = await new Promise((done) => {
    execFile(lichen, ['ledger', 'show', receipt, '--json', '--config', config],
             (error, out) => done(JSON.parse(out)));
  });
  assert.equal(shown.key, id);
});

test('wrong arguments say what would be right', async () => {
  const misspelt = await keys('make', 'x', '--plan', 'smal');
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.err, /did you mean `small`/);
  assert.match((await keys('revoke', 'nobody')).err, /there is no key `nobody`/);
  assert.match((await keys('make', 'x', '--expires', 'soon')).err, /30d/);
  assert.equal((await keys('make', 'x', '--budget', '-1')).code, 2);
});
