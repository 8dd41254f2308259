// `lichen serve` against llama-server of the same source: 8 clients stream chats from the large
// model, in turns, several rounds of each; prints the medians and their ratio as JSON.
//
//   node serve.mjs LICHEN LLAMA_SERVER MODEL.gguf [clients] [requests per client] [rounds]
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const [lichen, llamaServer, model, clients = '8', requests = '12', rounds = '3'] =
    process.argv.slice(2);
const folder = mkdtempSync(path.join(os.tmpdir(), 'lichen-bench-'));

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const {port} = server.address();
    server.close(() => resolve(port));
  });
});

// Prompts differ from the first token of the question on, so that no cache has a part in it.
let salt = 1;
const prompt = () => {
  const numbers = [];
  for (let i = 0; i < 10; ++i) {
    salt = (salt * 1103515245 + 12345) % 2147483648;
    numbers.push(salt % 999);
  }
  return `Sort from smallest to largest: ${numbers.join(', ')}.`;
};

function chat(port, agent) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({
      model: 'large', stream: true, max_tokens: 64, temperature: 0,
      stream_options: {include_usage: true},
      messages: [{role: 'user', content: prompt()}],
    });
    const begun = performance.now();
    let first = 0;
    let buffer = '';
    let tokens = 0;
    const request = http.request(
        {port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', agent,
         headers: {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}},
        (response) => {
          response.setEncoding('utf8');
          response.on('data', (text) => {
            first ||= performance.now() - begun;
            buffer += text;
          });
          response.on('end', () => {
            const usage = buffer.match(/"completion_tokens":\s*(\d+)/g);
            if (response.statusCode !== 200 || !usage) {
              reject(new Error(`status ${response.statusCode}: ${buffer.slice(0, 300)}`));
              return;
            }
            tokens = Number(usage.at(-1).match(/\d+/)[0]);
            resolve({ms: performance.now() - begun, first, tokens});
          });
          response.on('error', reject);
        });
    // llama-server may close a kept connection just when the next request goes out on it.
    request.on('error', (error) => {
      request.reusedSocket && error.code === 'ECONNRESET' ? resolve(chat(port, agent))
                                                          : reject(error);
    });
    request.end(body);
  });
}

async function load(port, agent) {
  await chat(port, agent);  // warm
  const results = [];
  const begun = performance.now();
  await Promise.all(Array.from({length: Number(clients)}, async () => {
    for (let i = 0; i < Number(requests); ++i) results.push(await chat(port, agent));
  }));
  const seconds = (performance.now() - begun) / 1000;
  const sorted = (key) => results.map((r) => r[key]).sort((a, b) => a - b);
  const rank = (list, q) => list[Math.min(list.length - 1, Math.ceil(q * list.length) - 1)];
  return {
    tokens_per_s: results.reduce((sum, r) => sum + r.tokens, 0) / seconds,
    p50_ms: rank(sorted('ms'), 0.5),
    p95_ms: rank(sorted('ms'), 0.95),
    first_p50_ms: rank(sorted('first'), 0.5),
  };
}

async function serve(command, args, port) {
  const child = spawn(command, args, {stdio: ['ignore', 'ignore', 'ignore']});
  const agent = new http.Agent({keepAlive: true});
  try {
    for (let i = 0; ; ++i) {
      const up = await new Promise((resolve) => {
        http.get({port, host: '127.0.0.1', path: '/health'}, (r) => {
          r.resume();
          resolve(r.statusCode === 200);
        }).on('error', () => resolve(false));
      });
      if (up) break;
      if (i > 300 || child.exitCode !== null) throw new Error(`${command} did not start`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const result = await load(port, agent);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    result.rss_mb = Number(status.match(/VmRSS:\s+(\d+)/)[1]) / 1024;
    return result;
  } catch (error) {
    throw new Error(`${command}: ${error.message}`, {cause: error});
  } finally {
    agent.destroy();  // llama-server does not end while a connection is open
    child.kill();
    await new Promise((resolve) => child.exitCode !== null ? resolve() : child.on('exit', resolve));
  }
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const all = {lichen: [], llama_server: []};
for (let round = 0; round < Number(rounds); ++round) {
  let port = await freePort();
  const config = path.join(folder, 'lichen.yaml');
  writeFileSync(config, `models:\n  large: {gguf: "${path.resolve(model)}"}\n` +
      `ledger: {path: "${path.join(folder, 'ledger.db')}"}\n`);
  all.lichen.push(await serve(lichen, ['serve', '--config', config, '--port', String(port)], port));
  port = await freePort();
  all.llama_server.push(await serve(llamaServer, [
    '-m', model, '--port', String(port), '-np', clients, '-c', String(1024 * Number(clients)),
    '-t', String(os.availableParallelism()), '--no-webui'], port));
}
rmSync(folder, {recursive: true});

const summary = {};
for (const [name, runs] of Object.entries(all)) {
  summary[name] = Object.fromEntries(
      Object.keys(runs[0]).map((key) => [key, Number(median(runs.map((r) => r[key])).toFixed(1))]));
}
summary.throughput_ratio = summary.lichen.tokens_per_s / summary.llama_server.tokens_per_s;
summary.p95_ratio = summary.lichen.p95_ms / summary.llama_server.p95_ms;
console.log(JSON.stringify({clients: Number(clients), requests: Number(requests), ...summary}, null, 1));
