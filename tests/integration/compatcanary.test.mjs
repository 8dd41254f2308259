// CompatCanary, which looks whether a server is as compatible with OpenAI's as it says, finds nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanEndpoint } from 'compatcanary';

import { startFakeRemote } from './fake_remote.mjs';
import { bundled, startLichen } from './server.mjs';

test('full marks', async () => {
  const remote = await startFakeRemote();
  const server = await startLichen(`
models:
  cloud: {url: "${remote.url}", model: big-1}
  small: {gguf: ${bundled.small}}
plans:
  default: {fallback: {of: [cloud, small]}}
ledger: {path: none}
`);
  try {
    for (const model of ['cloud', 'default']) {
      for (const profile of ['modern', 'chat']) {
        const report = await scanEndpoint({ baseUrl: `${server.url}/v1`, model, profile });
        assert.equal(report.score, 100, JSON.stringify(report.results, null, 1));
        assert.equal(report.summary.passes, report.summary.total);
      }
    }
  } finally {
    await server.stop();
    await remote.stop();
  }
});
