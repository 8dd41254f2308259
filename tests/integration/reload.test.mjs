// A running server loads its configuration again: by a signal or because the file changed, all of it
// or nothing, and no request notices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundled, startLichen } from './server.mjs';

const ledger = 'ledger: {path: none}';
const first = `
models:
  small: {gguf: ${bundled.small}}
plans:
  default: small
serve: {plan: default, admin_key_env: RELOAD_ADMIN}
${ledger}`;
const second = `
models:
  small: {gguf: ${bundled.small}}
  other: {gguf: ${bundled.other}}
plans:
  default: other
  both: {fallback: {of: [small, other]}}
serve: {plan: default, admin_key_env: RELOAD_ADMIN, watch: true}
${ledger}`;

let lichen;
before(async () => (lichen = await startLichen(first, { RELOAD_ADMIN: 'administrator' })));
after(async () => assert.equal(await lichen.stop(), 0));

const post = (body) => fetch(`${lichen.url}/v1/chat/completions`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
const question = { messages: [{ role: 'user', content: 'What is 2 + 3?' }], max_tokens: 60 };
const ask = async (model) => {
  const response = await post({ ...question, model });
  return { status: response.status, body: await response.json() };
};
const metric = async (name) => {
  const text = await (await fetch(`${lichen.url}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(name)).sort();
};
const author = async (model) => {
  const response = await post({ ...question, model });
  const id = response.headers.get('x-lichen-receipt');
  await response.json();
  const receipt = await (await fetch(`${lichen.url}/v1/receipts/${id}`)).json();
  return receipt.steps.map((step) => step.model);
};

/// Streams one after the other until it is told to stop; gives how many there were.
async function keepStreaming(state) {
  let count = 0;
  while (!state.stop) {
    const response = await post({ ...question, model: 'small', stream: true });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.ok(text.endsWith('data: [DONE]\n\n'), text);
    ++count;
  }
  return count;
}

test('a signal loads it, and no stream notices', async () => {
  const state = { stop: false };
  const streams = [1, 2, 3, 4].map(() => keepStreaming(state));
  assert.deepEqual(await author('default'), ['small']);
  const tokens = async () => Number((await metric('lichen_lane_tokens_total{model="small"}'))[0]
    .split(' ')[1]);
  const decoded = await tokens();
  assert.ok(decoded > 0);

  await lichen.configure(second);
  lichen.signal('SIGHUP');
  await lichen.says(/configuration loaded: .*`other` added, `small` kept.*`both` added/);
  assert.deepEqual(await author('default'), ['other']);
  assert.ok(await tokens() >= decoded, 'the model that stayed counts on');
  assert.equal((await metric('lichen_lane_tokens_total{model="small"}')).length, 1);
  assert.deepEqual(await metric('lichen_reloads_total'),
                   ['lichen_reloads_total{result="done"} 1', 'lichen_reloads_total{result="failed"} 0']);
  state.stop = true;
  for (const count of await Promise.all(streams)) assert.ok(count > 0);
});

test('a file that is wrong changes nothing', async () => {
  for (const [wrong, why] of [
    [second.replace('both: {fallback', 'both: {falback'), /lichen\.yaml:\d+.*fallback/],
    [second.replace(bundled.other, '/nowhere.gguf'), /nowhere\.gguf/],
    [second.replace('plan: default,', 'plan: default, io_threads: 3,'), /io_threads.*restart/],
    ['models: [', /lichen\.yaml/],
  ]) {
    const [, failed] = await metric('lichen_reloads_total');
    await lichen.configure(wrong);
    while ((await metric('lichen_reloads_total'))[1] === failed) {
      await new Promise((soon) => setTimeout(soon, 20));
    }
    assert.match(lichen.output(), why);
    assert.deepEqual(await author('default'), ['other']);
  }
});

test('a file that is watched is loaded when it changes, and models that are gone are gone',
     async () => {
  await lichen.configure(first);
  await lichen.says(/configuration loaded: .*`other` removed, `small` kept/);
  assert.deepEqual(await author('default'), ['small']);
  assert.equal((await ask('other')).status, 404);
  assert.deepEqual(await metric('lichen_lane_tokens_total{model="other"}'), []);
});

test('the administrator may ask for it, and is told what came of it', async () => {
  const reload = (key) => fetch(`${lichen.url}/v1/admin/reload`, {
    method: 'POST', headers: { Authorization: `Bearer ${key}` } });
  assert.equal((await reload('somebody')).status, 403);
  const nothing = await reload('administrator');
  assert.equal(nothing.status, 200);
  assert.deepEqual((await nothing.json()).models,
                   { added: [], removed: [], changed: [], kept: ['small'] });
  await lichen.configure(first.replace('default: small', 'default: smal'));
  const refused = await reload('administrator');
  assert.equal(refused.status, 500);
  assert.match((await refused.json()).error.message, /lichen\.yaml:\d+.*did you mean `small`/);
  assert.deepEqual(await author('default'), ['small']);
});
