// `blend` with a model that another `lichen serve` has: a token of the answer for each request, from
// the log-probabilities that its endpoint lists. Answers are those of the same model beside them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { bundled, startLichen } from './server.mjs';

const models = `
models:
  other: {gguf: ${bundled.other}, threads: 1}
  small: {gguf: ${bundled.small}, threads: 1}
`;
const questions = ['What is 12 + 30 * 2?', 'What is 7 * 68?', 'Sort these numbers: 9, 4, 31, 2.',
                   'What date is 40 days after 2021-05-30?', 'Spell zebra backwards.'];
let remote, server;

before(async () => {
  remote = await startLichen(`${models}
serve: {plan: small}
ledger: {path: none}
`);
  server = await startLichen(`${models}
  far: {url: "${remote.url}/v1", model: small, continues: final_message, retries: 0}
plans:
  default: other
  here: {blend: {of: [other, small], gate: 0.1}}
  far-away: {blend: {of: [other, far], gate: 0.1}}
ledger: {path: none}
`);
});

after(async () => {
  assert.equal(await server?.stop(), 0, server?.output());
  assert.equal(await remote?.stop(), 0, remote?.output());
});

async function ask(model, question) {
  const reply = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: question }],
                           max_tokens: 64 }),
  });
  const { choices } = await reply.json();
  const id = reply.headers.get('x-lichen-receipt');
  const receipt = await (await fetch(`${server.url}/v1/receipts/${id}`)).json();
  return { ...receipt, text: choices?.[0].message.content };
}

test('a remote model blends as the same one here does', async () => {
  let asked = 0;
  for (const question of questions) {
    const here = await ask('here', question);
    const far = await ask('far-away', question);
    assert.ok(here.text, question);
    assert.equal(far.text, here.text, question);
    assert.deepEqual(far.decisions, here.decisions, question);
    const requests = far.steps.filter((step) => step.remote);
    assert.ok(requests.every((step) => step.tokens_out <= 1 && step.bytes_sent > 0));
    asked += requests.length;
  }
  assert.ok(asked > 0, 'the gate never opened');
});

for (const [what, model, options, why] of [
  ['an endpoint that does not go on', 'model: small', ', gate: 0.1', /`continues: final_message`/],
  ['a remote model without a gate', 'model: small, continues: final_message', '',
   /a request for each token; give it a `gate`/],
]) {
  test(`${what} is refused when the plan is loaded`, async () => {
    await assert.rejects(startLichen(`${models}
  far: {url: "${remote.url}/v1", ${model}}
plans:
  default: {blend: {of: [other, far]${options}}}
ledger: {path: none}
`), why);
  });
}
