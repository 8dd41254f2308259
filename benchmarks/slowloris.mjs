// What a thousand clients that keep `lichen serve` waiting do to the others.
import {execFileSync, fork} from 'node:child_process';
import path from 'node:path';

import {startEndpoint, whole} from './endpoint.mjs';
import {exchange} from './exchange.mjs';
import {
  Complaint,
  descriptorsOf,
  inFolder,
  main,
  median,
  memoryOf,
  percentile,
  sleep,
  startLichen,
  table,
  waitFor,
} from './programs.mjs';

const about = `node slowloris.mjs [OPTIONS]

Against lichen serve with its default limits, some ask for short answers, half of them on a new
connection each time, first by themselves and then beside many that
  idle     connect and send nothing
  header   send a byte of a header each second
  body     send a byte of a body each second
  unread   ask for a long stream and read nothing of it
Connections that the server closes are opened again. Fails where the others' p99 doubles.`;

const options = {
  connections: {value: 1000, help: 'that keep the server waiting'},
  kinds: {value: 'idle,header,body,unread', help: 'in which ways'},
  clients: {value: 8, help: 'others, at once'},
  pause: {value: 5, help: 'ms between the requests of one of them'},
  seconds: {value: 15, help: 'of each measurement'},
  rounds: {value: 3, help: 'of each kind, without and with in turns; medians count'},
  cpu: {value: 0, help: 'processor of the server'},
  'load-cpu': {value: 1, help: 'processor of all others'},
};

async function measure(port, {clients, pause, seconds}) {
  const times = {kept: [], fresh: []};
  let failures = 0;
  let failure;
  const end = performance.now() + 1000 * seconds;
  await Promise.all(
    Array.from({length: clients}, async (_, number) => {
      for (let i = number; performance.now() < end; ++i) {
        const kind = i % 2 === 0 ? 'kept' : 'fresh';
        const begun = performance.now(); // with the time to connect
        try {
          const body = JSON.stringify({
            model: 'short',
            messages: [{role: 'user', content: 'Short, please.'}],
          });
          const {status, text} = await exchange({port, body, keep: kind === 'kept'});
          if (status !== 200) throw new Error(`${status}: ${text}`);
          times[kind].push(performance.now() - begun);
        } catch (error) {
          failures += 1;
          failure ??= error.message;
        }
        await sleep(pause);
      }
    }),
  );
  const all = [...times.kept, ...times.fresh];
  return {
    requests: all.length,
    failures,
    failure,
    p50_ms: median(all),
    p99_ms: percentile(all, 0.99),
    fresh_p99_ms: percentile(times.fresh, 0.99),
    max_ms: percentile(all, 1),
  };
}

/// The process with the others; `start` resolves when all are connected.
async function startAttackers() {
  const child = fork(path.join(import.meta.dirname, 'slow_clients.mjs'), {execArgv: []});
  const state = {};
  child.on('message', (told) => Object.assign(state, told));
  await waitFor('the process of the slow clients', 10, () => state.url);
  return {
    url: state.url,
    state,
    async start(port, kind, count) {
      state.connected = 0;
      child.send({port, count, kind, model: 'long'});
      await waitFor(`${count} connections (${kind})`, 60, () => state.connected >= 0.99 * count);
      await sleep(5000); // they have come to where they wait
    },
    async stop() {
      child.send({stop: true});
      await sleep(1000); // the server sees them go
    },
    end: () => child.disconnect(),
  };
}

async function compare(kind, lichen, attackers, options) {
  const rounds = [];
  for (let round = 0; round < options.rounds; ++round) {
    const without = await measure(lichen.port, options);
    await attackers.start(lichen.port, kind, options.connections);
    const beside = await measure(lichen.port, options);
    const {connected, closed} = attackers.state;
    rounds.push({
      without,
      beside,
      connected,
      closed,
      mib: memoryOf(lichen.pid),
      descriptors: descriptorsOf(lichen.pid),
    });
    await attackers.stop();
  }
  const of = (when, key) => median(rounds.map((round) => round[when][key]));
  const sum = (key) => rounds.reduce((all, round) => all + round.beside[key], 0);
  return {
    kind,
    rounds,
    p50_ms: [of('without', 'p50_ms'), of('beside', 'p50_ms')],
    p99_ms: [of('without', 'p99_ms'), of('beside', 'p99_ms')],
    fresh_p99_ms: [of('without', 'fresh_p99_ms'), of('beside', 'fresh_p99_ms')],
    requests: sum('requests'),
    failures: sum('failures'),
    ratio: of('beside', 'p99_ms') / of('without', 'p99_ms'),
  };
}

await main(about, options, (options) =>
  inFolder(async (folder) => {
    execFileSync('taskset', ['-a', '-c', '-p', String(options['load-cpu']), String(process.pid)]);
    const attackers = await startAttackers();
    const endpoint = await startEndpoint(() => ({body: whole('Short.')}));
    const config = `models:
  short: {url: "${endpoint.url}", model: short}
  long: {url: "${attackers.url}", model: long}
serve: {plan: short}
ledger: {path: "${path.join(folder, 'ledger.db')}"}\n`;
    const lichen = await startLichen(options.lichen, folder, config, {cpu: options.cpu});
    const results = [];
    try {
      await measure(lichen.port, {...options, seconds: 1}); // warm
      for (const kind of options.kinds.split(',')) {
        if (!['idle', 'header', 'body', 'unread'].includes(kind))
          throw new Complaint(`--kinds: there is no \`${kind}\`; see --help`);
        results.push(await compare(kind, lichen, attackers, options));
        console.error(`${kind}: p99 ${results.at(-1).ratio.toFixed(2)} times`);
      }
    } finally {
      await lichen.stop('SIGKILL');
      endpoint.stop();
      attackers.end();
    }
    const pair = ([without, beside]) => `${without.toFixed(2)} -> ${beside.toFixed(2)}`;
    console.log(
      table(
        [
          '',
          'p50 ms',
          'p99 ms',
          'ratio',
          'p99 ms, new connections',
          'requests',
          'failed',
          'closed',
          'MiB',
          'descriptors',
        ],
        results.map(({kind, p50_ms, p99_ms, ratio, fresh_p99_ms, requests, failures, rounds}) => [
          kind,
          pair(p50_ms),
          pair(p99_ms),
          ratio.toFixed(2),
          pair(fresh_p99_ms),
          requests,
          failures,
          rounds.reduce((all, {closed}) => all + closed, 0),
          Math.round(rounds.at(-1).mib),
          rounds.at(-1).descriptors,
        ]),
      ),
    );
    const failed = results.flatMap(({kind, ratio, failures, rounds}) => [
      ...(ratio < 2 ? [] : [`${kind}: the others' p99 is ${ratio.toFixed(2)} times as long`]),
      ...(failures === 0
        ? []
        : [
            `${kind}: ${failures} requests of others failed: ${rounds.find((r) => r.beside.failure)?.beside.failure}`,
          ]),
    ]);
    return {results, failed};
  }),
);
