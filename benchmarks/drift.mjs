// A plan with `shadow` under traffic of one kind, which then is swapped for another: after how many
// requests is there an alarm, and is there none without the swap? Prints counts as JSON.
//
//   node drift.mjs LICHEN CONFIG PLAN suite.jsonl[:requests] [suite.jsonl[:requests] ...]
//
// An alarm that is kept from an earlier run counts from the start, so remove its file before.
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import http from 'node:http';

const [lichen, config, plan, ...suites] = process.argv.slice(2);
const agent = new http.Agent({keepAlive: true});

const server = spawn(lichen, ['serve', '--config', config, '--port', '0'],
                     {stdio: ['ignore', 'pipe', 'pipe']});
let log = '';
server.stderr.on('data', (data) => { log += data; });
const port = await new Promise((resolve, reject) => {
  let out = '';
  server.stdout.on('data', (data) => {
    out += data;
    const found = out.match(/listening on http:\/\/[^:]+:(\d+)/);
    if (found) resolve(found[1]);
  });
  server.once('exit', (code) => reject(new Error(`lichen ended (${code}): ${log}`)));
});

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const data = body ? JSON.stringify(body) : '';
    const headers = {'content-type': 'application/json', 'content-length': Buffer.byteLength(data)};
    const request = http.request({host: '127.0.0.1', port, path, method, agent, headers}, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (part) => { text += part; }).on('error', reject)
          .on('end', () => (reply.statusCode === 200 ? resolve({reply, text})
                                                     : reject(new Error(text))));
    });
    request.on('error', reject).end(data);
  });
}

/// The watch's metrics.
async function watch() {
  const {text} = await call('GET', '/metrics');
  const read = (name) => Number(text.match(
      new RegExp(`^${name}\\{[^}]*plan="${plan}"[^}]*\\} (\\S+)`, 'm'))?.[1]);
  return {
    looked_at: read('lichen_drift_looked_at_total'),
    losses: read('lichen_drift_losses_total'),
    alarm: read('lichen_drift_alarm') === 1,
  };
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/// Large answers in the background, which takes as long as it takes.
async function settled() {
  for (let before = -1, now = await watch(); now.looked_at !== before; now = await watch()) {
    before = now.looked_at;
    await pause(1000);
  }
}

const phases = [];
for (const phase of suites) {
  const [suite, wanted] = phase.split(':');
  const prompts = readFileSync(suite, 'utf8').trim().split('\n').map((line) => JSON.parse(line).prompt);
  const requests = Number(wanted ?? prompts.length);
  const before = await watch();
  let bySmall = 0;
  let alarmAfter = before.alarm ? 0 : null;
  for (let i = 0; i < requests; ++i) {
    const {reply} = await call('POST', '/v1/chat/completions', {
      model: plan, temperature: 0, messages: [{role: 'user', content: prompts[i % prompts.length]}]});
    const receipt = await call('GET', `/v1/receipts/${reply.headers['x-lichen-receipt']}`);
    const small = JSON.parse(receipt.text).decisions.some((decision) => decision.choice === 'small');
    bySmall += small;
    // Requests come about as fast as large can follow.
    if (small) await pause(50);
    if (alarmAfter === null && (await watch()).alarm) alarmAfter = i + 1;
  }
  await settled();
  const after = await watch();
  phases.push({
    suite, requests, by_small: bySmall, looked_at: after.looked_at - before.looked_at,
    losses: after.losses - before.losses, alarm: after.alarm, alarm_after: alarmAfter,
  });
}
server.removeAllListeners('exit');
server.kill('SIGTERM');
console.log(JSON.stringify({plan, phases, log: log.trim().split('\n').filter((line) => line)}, null, 1));
