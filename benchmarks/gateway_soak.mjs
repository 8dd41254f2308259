// `lichen serve` as a gateway for a long while: whole answers, streams, clients that leave,
// endpoints that fail in every way. Its memory must stay flat, and no descriptor may be lost.
import path from 'node:path';

import {events, startEndpoint, whole} from './endpoint.mjs';
import {exchange, hangUp} from './exchange.mjs';
import {
  Complaint,
  connectionsTo,
  descriptorsOf,
  inFolder,
  main,
  median,
  memoryOf,
  sleep,
  startLichen,
  table,
} from './programs.mjs';

const about = `node gateway_soak.mjs [OPTIONS]

Clients ask a lichen serve in front of endpoints that answer, fail always, fail now and then, break
off, send what is no JSON, stay silent; a \`fallback\` goes on to the good one. Some clients leave in
the midst of a stream. Samples memory and descriptors; fails where the last quarter's memory is
above the second's by more than --growth, where descriptors grew, where connections remain when the
clients have gone, or where an answer that had to come did not.`;

const options = {
  seconds: {value: 600, help: 'how long'},
  clients: {value: 32, help: 'at once'},
  pause: {value: 10, help: 'ms between the requests of one of them'},
  every: {value: 2, help: 'seconds between two samples'},
  growth: {value: 2, help: 'MiB by which memory may grow from the second quarter to the last'},
  cpu: {value: '', help: 'processor of the server; any where it is left out'},
};

const text = 'A gateway passes on what it is given, word by word, for ten minutes.';
const parts = events(text);

/// What becomes of a request to the endpoint, by the model that is named.
function behave() {
  let now = 0;
  const good = (body) => (body.stream ? {parts, pause: 1} : {body: whole(text)});
  const error = {body: '{"error":{"message":"broken"}}'};
  return (body) => {
    now += 1;
    switch (body.model) {
      case 'fails':
        return {status: 503, ...error};
      case 'flaps':
        return now % 3 === 0 ? {status: 500, ...error} : good(body);
      case 'busy':
        return now % 4 === 0 ? {status: 429, headers: {'retry-after': '0'}, ...error} : good(body);
      case 'cuts':
        return {parts: parts.slice(0, 5), cut: true};
      case 'babbles':
        return {parts: [parts[0], 'data: {"choices": [\n\n']};
      case 'stalls':
        return {parts: [parts[0], parts[1]], pause: 5000};
      default:
        return good(body);
    }
  };
}

const faults = ['fails', 'flaps', 'busy', 'cuts', 'babbles', 'stalls'];

function configOf(url, ledger) {
  const timeouts =
    'timeouts: {connect: 1s, headers: 2s, first_token: 1s, idle: 500ms}, retry_backoff: 20ms';
  return `models:
  good: {url: "${url}", model: good, continues: last_message}
${faults.map((name) => `  ${name}: {url: "${url}", model: ${name}, ${timeouts}}\n`).join('')}plans:
${faults.map((name) => `  past_${name}: {fallback: {of: [${name}, good]}}\n`).join('')}serve: {plan: good}
ledger: {path: "${ledger}"}\n`;
}

/// What clients ask for, in turns. `must`: the whole answer has to come.
const turns = [
  {model: 'good', must: true},
  {model: 'good', stream: true, must: true},
  ...faults.flatMap((name) => [
    {model: `past_${name}`, stream: true, must: true},
    {model: `past_${name}`, must: name !== 'stalls'},
    {model: name, stream: true},
    {model: 'good', stream: true, leaves: true},
    {model: 'good', must: true},
  ]),
  {model: 'nobody'},
  {model: 'good', body: '{"model": "good", "messages": 7}'},
  {model: 'good', body: '{'},
];

async function ask(port, {model, stream = false, leaves = false, body}, counts) {
  const sent = body ?? JSON.stringify({model, stream, messages: [{role: 'user', content: 'Go.'}]});
  counts.requests += 1;
  const reply = await exchange({port, body: sent, keep: true, leave: leaves});
  if (leaves) return true;
  return stream
    ? reply.text.includes('data: [DONE]') && told(reply.text) === text
    : reply.status === 200 && JSON.parse(reply.text).choices[0].message.content === text;
}

const told = (stream) =>
  stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? '')
    .join('');

async function metric(port, name) {
  const {text} = await exchange({port, body: null, target: '/metrics'});
  return Number(text.match(new RegExp(`^${name} (\\S+)`, 'm'))?.[1]);
}

/// Memory and descriptors with nobody connected. Connections to the endpoint, which wait for the
/// next request, are counted apart.
async function settled(pid, port, endpoint) {
  await ask(port, {model: 'good'}, {});
  hangUp(port);
  await sleep(500);
  const idle = connectionsTo(endpoint.port, pid);
  return {mib: memoryOf(pid), descriptors: descriptorsOf(pid) - idle, idle};
}

/// Medians of the samples' second quarter and of their last.
function quarters(samples, key) {
  const part = (from, to) =>
    samples
      .slice(Math.floor(from * samples.length), Math.ceil(to * samples.length))
      .map((sample) => sample[key]);
  return {
    second: median(part(0.25, 0.5)),
    last: median(part(0.75, 1)),
    most: Math.max(...part(0, 1)),
  };
}

await main(about, options, (options) =>
  inFolder(async (folder) => {
    if (options.seconds < 4 * options.every)
      throw new Complaint('--seconds: too few for a sample in each quarter; see --every');
    const endpoint = await startEndpoint(behave());
    const lichen = await startLichen(
      options.lichen,
      folder,
      configOf(endpoint.url, path.join(folder, 'ledger.db')),
      {cpu: options.cpu === '' ? undefined : options.cpu},
    );
    const {pid, port} = lichen;
    const counts = {requests: 0, whole: 0, lost: 0};
    const losses = {};
    const samples = [];
    const before = await settled(pid, port, endpoint);
    const begun = performance.now();
    const seconds = () => (performance.now() - begun) / 1000;
    let next = 0;
    let after;
    try {
      const clients = Promise.all(
        Array.from({length: options.clients}, async () => {
          while (seconds() < options.seconds) {
            const turn = turns[next++ % turns.length];
            const came = await ask(port, turn, counts).catch((error) => error);
            if (came === true) counts.whole += 1;
            else if (turn.must || came instanceof Error) {
              counts.lost += 1;
              const what = `${turn.model}${turn.stream ? ', stream' : ''}: ${came || 'not the answer'}`;
              losses[what] = (losses[what] ?? 0) + 1;
            }
            await sleep(options.pause);
          }
        }),
      );
      while (seconds() < options.seconds) {
        await sleep(1000 * options.every);
        if (!lichen.running()) throw new Complaint(`lichen serve ended: ${lichen.log()}`);
        samples.push({
          s: seconds(),
          mib: memoryOf(pid),
          descriptors: descriptorsOf(pid),
          requests: counts.requests,
        });
        if (samples.length % 15 === 0) {
          const {s, mib, descriptors} = samples.at(-1);
          console.error(
            `${s.toFixed(0)} s: ${counts.requests} requests, ${mib.toFixed(1)} MiB, ${descriptors} descriptors`,
          );
        }
      }
      await clients;
      hangUp(port);
      endpoint.hangUp();
      await sleep(2000);
      after = {
        ...(await settled(pid, port, endpoint)),
        connections: (await metric(port, 'lichen_connections')) - 1,
        turns: await metric(port, 'lichen_turns_in_flight'),
      };
    } finally {
      await lichen.stop();
      endpoint.stop();
    }
    const mib = quarters(samples, 'mib');
    const descriptors = quarters(samples, 'descriptors');
    console.log(
      table(
        ['', 'before', 'second quarter', 'last quarter', 'most', 'after'],
        [
          [
            'memory, MiB',
            before.mib.toFixed(1),
            mib.second.toFixed(1),
            mib.last.toFixed(1),
            mib.most.toFixed(1),
            after.mib.toFixed(1),
          ],
          [
            'descriptors',
            before.descriptors,
            descriptors.second,
            descriptors.last,
            descriptors.most,
            after.descriptors,
          ],
          ['idle, to the endpoint', before.idle, undefined, undefined, undefined, after.idle],
        ],
      ),
    );
    console.log(
      `\n${counts.requests} requests, ${counts.lost} lost; afterwards ${after.connections} connections, ${after.turns} turns`,
    );
    const failed = Object.entries(losses).map(([what, times]) => `${times} times ${what}`);
    if (mib.last - mib.second > options.growth)
      failed.push(`memory grew by ${(mib.last - mib.second).toFixed(1)} MiB`);
    if (descriptors.last > descriptors.second + 2)
      failed.push(`descriptors grew from ${descriptors.second} to ${descriptors.last}`);
    if (after.descriptors > before.descriptors)
      failed.push(`${after.descriptors - before.descriptors} descriptors were not given back`);
    if (after.connections + after.turns > 0)
      failed.push(`${after.connections} connections and ${after.turns} turns remain`);
    return {before, mib, descriptors, after, ...counts, losses, samples, failed};
  }),
);
