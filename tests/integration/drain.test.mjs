// SIGTERM: what runs ends as it should, nobody new is let in, and the program ends well.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled, startLichen } from './server.mjs';

test('a stream ends before the server does', async () => {
  const lichen = await startLichen(`
models:
  small: {gguf: ${bundled.small}}
ledger: {path: none}`);
  const ask = () => fetch(`${lichen.url}/v1/chat/completions`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'What is 2 + 3?' }], stream: true }) });
  const responses = await Promise.all(Array.from({ length: 8 }, ask));
  lichen.signal('SIGTERM');
  for (const response of responses) {
    assert.equal(response.status, 200);
    assert.ok((await response.text()).endsWith('data: [DONE]\n\n'));
  }
  assert.equal(await lichen.ended, 0);
  await assert.rejects(fetch(`${lichen.url}/health`));
  assert.equal(await lichen.stop(), 0);
});
