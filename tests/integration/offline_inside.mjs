// What offline.test.mjs runs within a network namespace that has nothing but loopback: one server,
// a few requests. Prints what was answered, and what the namespace's kernel counted.
import { readFile } from 'node:fs/promises';

import { bundled, startLichen } from './server.mjs';

/// Connections begun and accepted, and datagrams sent, since the namespace exists.
async function counted() {
  const lines = (await readFile('/proc/self/net/snmp', 'utf8')).split('\n');
  const table = (name) => {
    const [keys, values] = lines.filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.split(' ').slice(1));
    return Object.fromEntries(keys.map((key, i) => [key, Number(values[i])]));
  };
  const { ActiveOpens, PassiveOpens } = table('Tcp');
  return { begun: ActiveOpens, accepted: PassiveOpens, datagrams: table('Udp').OutDatagrams };
}

// Nobody listens on port 9, and the name has to be looked up.
const server = await startLichen(`
models:
  small: {gguf: ${bundled.small}, threads: 1}
  near: {url: "http://127.0.0.1:9/v1", model: m, retries: 0}
  far: {url: "http://cloud.invalid/v1", model: m, retries: 0, timeouts: {connect: 2s}}
plans:
  fallback: {fallback: {of: [near, far, small]}}
  route: {route: {by: length, threshold: 1, small: small, large: far}}
  cascade: {cascade: {small: small, large: far, confidence: min, threshold: 0}}
serve: {plan: fallback}
ledger: {path: none}
`, {}, process.argv.slice(2));

async function ask(model, rest = {}) {
  const reply = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { Connection: 'close' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'What is 2 + 3?' }],
                           max_tokens: 32, ...rest }),
  });
  const body = await reply.json();
  const id = reply.headers.get('x-lichen-receipt');
  const receipt = await fetch(`${server.url}/v1/receipts/${id}`,
                              { headers: { Connection: 'close' } });
  const { decisions } = await receipt.json();
  return { status: reply.status, text: body.choices?.[0].message.content, code: body.error?.code,
           choices: decisions.map(({ choice }) => choice) };
}

const answers = {};
for (const model of ['fallback', 'route', 'cascade', 'near', 'far', 'small']) {
  answers[model] = await ask(model);
}
const counts = await counted();
await server.stop();
console.log(JSON.stringify({ answers, counts }));
