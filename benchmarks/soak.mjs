// Many clients at once for a while: every request must be answered, whole. All are greedy, so the
// answers to one prompt must be the same: a mix-up shows. Prints counts as JSON and fails when an
// answer was lost or differs.
//
//   lichen suite > suite.jsonl
//   node soak.mjs URL suite.jsonl [clients] [seconds] [model]
import {readFileSync} from 'node:fs';
import http from 'node:http';

const [url, suite, clients = '64', seconds = '60', model = 'default'] = process.argv.slice(2);
const prompts = readFileSync(suite, 'utf8').trim().split('\n')
    .map((line) => JSON.parse(line).prompt);
const agent = new http.Agent({keepAlive: true});
const {hostname, port} = new URL(url);

function ask(prompt, stream) {
  const body = JSON.stringify({
    model, stream, max_tokens: 100, temperature: 0, messages: [{role: 'user', content: prompt}],
    ...(stream ? {stream_options: {include_usage: true}} : {}),
  });
  return new Promise((resolve, reject) => {
    const request = http.request(
        {hostname, port, path: '/v1/chat/completions', method: 'POST', agent,
         headers: {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}},
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part) => { text += part; });
          response.on('error', reject);
          response.on('end', () => {
            if (response.statusCode !== 200) return reject(new Error(text));
            if (!stream) return resolve(JSON.parse(text).choices[0].message.content);
            const events = text.split('\n\n').filter((e) => e.startsWith('data: ')).map((e) => e.slice(6));
            if (events.at(-1) !== '[DONE]') return reject(new Error('no [DONE]'));
            const chunks = events.slice(0, -1).map((e) => JSON.parse(e));
            if (!chunks.at(-1).usage) return reject(new Error('no usage'));
            resolve(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join(''));
          });
        });
    request.on('error', reject);
    request.end(body);
  });
}

const answers = new Map();
const counts = {requests: 0, lost: 0, differing: 0};
const end = performance.now() + 1000 * Number(seconds);
let next = 0;
await Promise.all(Array.from({length: Number(clients)}, async () => {
  while (performance.now() < end) {
    const prompt = prompts[next % prompts.length];
    const stream = next % 2 === 0;
    next += 1;
    counts.requests += 1;
    try {
      const answer = await ask(prompt, stream);
      if (!answers.has(prompt)) answers.set(prompt, answer);
      if (answers.get(prompt) !== answer) counts.differing += 1;
    } catch (error) {
      counts.lost += 1;
      console.error(error.message);
    }
  }
}));
console.log(JSON.stringify({clients: Number(clients), seconds: Number(seconds), model, ...counts}));
process.exit(counts.lost + counts.differing > 0 ? 1 : 0);
