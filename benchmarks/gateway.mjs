// `lichen serve` as a gateway on one processor, beside nginx's proxy_pass and Portkey: requests a
// second with many connections, what each adds to the latency of one, and to the time to the first
// token of a stream.
import {execFile, execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';

import {events, startEndpoint, whole} from './endpoint.mjs';
import {exchange} from './exchange.mjs';
import {
  Complaint,
  descriptorsOf,
  freePort,
  inFolder,
  listens,
  main,
  median,
  memoryOf,
  percentile,
  processorTimeOf,
  start,
  startLichen,
  table,
  waitFor,
} from './programs.mjs';

const about = `node gateway.mjs [OPTIONS]

Measures gateways in front of an endpoint that answers at once (nginx with a fixed answer). The one
that is measured has a processor to itself; the endpoint and the clients (wrk) share another.
Needs nginx and wrk (cmake/bench_packages.txt), and Portkey: npm ci --prefix benchmarks/portkey`;

const options = {
  rounds: {value: 5, help: 'rounds; the contenders take turns in each, medians count'},
  seconds: {value: 8, help: 'of each measurement'},
  connections: {value: 32, help: 'at once, for requests a second'},
  streams: {value: 200, help: 'streams of a round, for the time to the first token'},
  cpu: {value: 0, help: 'processor of the gateway'},
  'load-cpu': {value: 1, help: 'processor of the endpoint and of the clients'},
  contenders: {value: 'direct,nginx,lichen,portkey', help: 'which'},
  portkey: {value: path.join(import.meta.dirname, 'portkey'), help: 'folder where it is installed'},
};

const sentence = 'A gateway passes on what it is given, word by word.';
const sse = events(sentence);
const question = [{role: 'user', content: 'What does a gateway do? Answer in one sentence.'}];
const bodies = {
  json: JSON.stringify({model: 'json', messages: question}),
  sse: JSON.stringify({
    model: 'sse',
    messages: question,
    stream: true,
    stream_options: {include_usage: true},
  }),
  paced: JSON.stringify({model: 'paced', messages: question, stream: true}),
};

const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}'`;

function nginxConfig(folder, servers) {
  return `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid;
error_log ${folder}/error.log; events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  ${servers}
}\n`;
}

async function startNginx(folder, name, servers, ports, cpu) {
  const own = path.join(folder, name);
  mkdirSync(own);
  const file = path.join(own, 'nginx.conf');
  const log = path.join(own, 'log');
  writeFileSync(file, nginxConfig(own, servers));
  const nginx = start('nginx', ['-p', own, '-c', file, '-e', log], {log, cpu});
  await waitFor(`nginx (${file})`, 10, () => listens(ports[0]));
  return nginx;
}

function fixed(port, type, body) {
  return `server { listen 127.0.0.1:${port};
    location / { default_type ${type}; return 200 ${quoted(body)}; } }`;
}

function proxy(port, to) {
  return `upstream to_${to} { server 127.0.0.1:${to}; keepalive 64;
    keepalive_requests 1000000000; keepalive_timeout 600s; }
  server { listen 127.0.0.1:${port};
    location / { proxy_pass http://to_${to}; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_buffering off; } }`;
}

// A contender: {start(folder) -> process or none, target(kind) -> {port, headers}}.
function contenders(options, endpoint) {
  const {cpu} = options;
  return {
    direct: {start: () => null, target: (kind) => ({port: endpoint[kind]})},
    nginx: {
      ports: {},
      async start(folder) {
        const kinds = Object.keys(bodies);
        for (const kind of kinds) this.ports[kind] = await freePort();
        const servers = kinds.map((kind) => proxy(this.ports[kind], endpoint[kind])).join('\n  ');
        return startNginx(folder, 'nginx', servers, [this.ports.json], cpu);
      },
      target(kind) {
        return {port: this.ports[kind]};
      },
    },
    lichen: {
      async start(folder) {
        const models = Object.keys(bodies).map(
          (kind) => `  ${kind}: {url: "http://127.0.0.1:${endpoint[kind]}/v1", model: bench}\n`,
        );
        const lichen = await startLichen(
          options.lichen,
          folder,
          `models:\n${models.join('')}serve: {plan: json}\n` +
            `ledger: {path: "${path.join(folder, 'ledger.db')}"}\n`,
          {cpu},
        );
        this.port = lichen.port;
        return lichen;
      },
      target() {
        return {port: this.port};
      },
    },
    portkey: {
      async start(folder) {
        this.port = await freePort();
        const program = path.join(
          options.portkey,
          'node_modules/@portkey-ai/gateway/build/start-server.js',
        );
        if (!existsSync(program)) {
          throw new Complaint(
            `Portkey is not in ${options.portkey}: npm ci --prefix benchmarks/portkey, ` +
              'or leave it out of --contenders',
          );
        }
        const portkey = start(process.execPath, [program, `--port=${this.port}`, '--headless'], {
          log: path.join(folder, 'portkey.log'),
          cpu,
          env: {NODE_ENV: 'production'},
        });
        await waitFor('Portkey', 20, () => listens(this.port));
        return portkey;
      },
      target(kind) {
        return {
          port: this.port,
          headers: {
            'x-portkey-provider': 'openai',
            authorization: 'Bearer none',
            'x-portkey-custom-host': `http://127.0.0.1:${endpoint[kind]}/v1`,
          },
        };
      },
    },
  };
}

// wrk's `done` gets microseconds.
function luaFor(kind, headers = {}) {
  const fields = Object.entries({'Content-Type': 'application/json', ...headers}).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  return `wrk.method = "POST"
wrk.body = ${JSON.stringify(bodies[kind])}
${fields.join('\n')}
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'FIGURES {"requests":%d,"us":%d,"p50":%d,"p99":%d,"max":%d,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout))
end\n`;
}

async function wrk(folder, kind, {port, headers}, connections, options, pid) {
  const script = path.join(folder, 'load.lua');
  writeFileSync(script, luaFor(kind, headers));
  const before = pid ? processorTimeOf(pid) : 0;
  const {stdout} = await promisify(execFile)('taskset', [
    '-c',
    String(options['load-cpu']),
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${options.seconds}s`,
    '-s',
    script,
    `http://127.0.0.1:${port}/v1/chat/completions`,
  ]);
  const found = stdout.match(/FIGURES (.*)/);
  if (!found) throw new Complaint(`wrk gave no figures:\n${stdout}`);
  const {requests, us, p50, p99, max, errors} = JSON.parse(found[1]);
  return {
    per_s: (requests / us) * 1e6,
    p50_ms: p50 / 1e3,
    p99_ms: p99 / 1e3,
    max_ms: max / 1e3,
    errors,
    busy: pid ? (processorTimeOf(pid) - before) / (us / 1e6) : null,
    cpu_us: pid ? ((processorTimeOf(pid) - before) / requests) * 1e6 : null,
  };
}

/// What is measured must be right: an error page is quickly served, too.
async function check(name, kind, {port, headers}) {
  const {status, text} = await exchange({port, body: bodies[kind], headers});
  const content =
    kind === 'json'
      ? JSON.parse(text).choices?.[0].message.content
      : text
          .split('\n')
          .filter((line) => line.startsWith('data: {'))
          .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '')
          .join('');
  if (
    status !== 200 ||
    content !== sentence ||
    (kind !== 'json' && !text.includes('data: [DONE]'))
  ) {
    throw new Complaint(`${name}, ${kind}: ${status}: ${text.slice(0, 500)}`);
  }
}

async function firstTokens({port, headers}, count) {
  const times = [];
  for (let i = 0; i < count; ++i) {
    const {first} = await exchange({
      port,
      body: bodies.paced,
      headers,
      keep: true,
      until: '"content":"A"',
    });
    times.push(first);
  }
  return {p50_ms: percentile(times, 0.5), p99_ms: percentile(times, 0.99)};
}

async function measure(name, contender, folder, options) {
  const child = await contender.start(folder);
  const pid = child?.pid;
  try {
    for (const kind of Object.keys(bodies)) await check(name, kind, contender.target(kind));
    const load = (kind, connections) =>
      wrk(folder, kind, contender.target(kind), connections, options, pid);
    return {
      json: await load('json', options.connections),
      sse: await load('sse', options.connections),
      json_1: await load('json', 1),
      sse_1: await load('sse', 1),
      first_token: await firstTokens(contender.target('paced'), options.streams),
      mib: pid && memoryOf(pid),
      descriptors: pid && descriptorsOf(pid),
    };
  } finally {
    await child?.stop();
  }
}

/// Medians over the rounds, in the form of one round.
function medians(rounds) {
  return Object.fromEntries(
    Object.entries(rounds[0]).map(([key, first]) => {
      const all = rounds.map((round) => round[key]);
      return [
        key,
        first !== null && typeof first === 'object'
          ? medians(all)
          : typeof first === 'number'
            ? median(all)
            : first,
      ];
    }),
  );
}

const ms = (value) => value.toFixed(3);

function show(results) {
  const {direct, nginx} = results;
  const part = (value, of) => (of ? (value / of).toFixed(2) : undefined);
  const share = (value) => (value === null ? undefined : `${Math.round(100 * value)} %`);
  console.log(
    table(
      [
        '',
        'JSON/s',
        'to nginx',
        'of a CPU',
        'p99 ms',
        'SSE/s',
        'to nginx',
        'of a CPU',
        'p99 ms',
        'errors',
        'MiB',
      ],
      Object.entries(results).map(([name, {json, sse, mib}]) => [
        name,
        Math.round(json.per_s),
        part(json.per_s, nginx?.json.per_s),
        share(json.busy),
        ms(json.p99_ms),
        Math.round(sse.per_s),
        part(sse.per_s, nginx?.sse.per_s),
        share(sse.busy),
        ms(sse.p99_ms),
        json.errors + sse.errors,
        mib && Math.round(mib),
      ]),
    ),
  );
  if (!direct) return;
  const added = (one, key) => ms(one[key] - 0);
  console.log('\nOne connection, ms; of all but `direct` what is added to it:\n');
  console.log(
    table(
      ['', 'JSON p50', 'p99', 'SSE p50', 'p99', 'first token p50', 'p99'],
      Object.entries(results).map(([name, figures]) => [
        name,
        ...['json_1', 'sse_1', 'first_token'].flatMap((of) =>
          ['p50_ms', 'p99_ms'].map((key) =>
            name === 'direct' ? added(figures[of], key) : ms(figures[of][key] - direct[of][key]),
          ),
        ),
      ]),
    ),
  );
}

await main(about, options, (options) =>
  inFolder(async (folder) => {
    process.env.PATH += ':/usr/sbin'; // Debian's nginx
  for (const command of ['nginx', 'wrk', 'taskset']) {
      try {
        execFileSync('which', [command]);
      } catch {
        throw new Complaint(`${command} is missing; cmake/bench_packages.txt lists what is needed`);
      }
    }
    const endpoint = {json: await freePort(), sse: await freePort()};
    // What comes at once holds the first word.
    const paced = await startEndpoint(() => ({
      parts: [sse[0] + sse[1], sse.slice(2).join('')],
      pause: 20,
    }));
    endpoint.paced = paced.port;
    const upstream = await startNginx(
      folder,
      'endpoint',
      `${fixed(endpoint.json, 'application/json', whole(sentence))}
  ${fixed(endpoint.sse, 'text/event-stream', sse.join(''))}`,
      [endpoint.json],
      options['load-cpu'],
    );
    // This program has part in the time to the first token only.
    execFileSync('taskset', ['-a', '-c', '-p', String(options['load-cpu']), String(process.pid)]);

    const all = contenders(options, endpoint);
    const names = options.contenders.split(',');
    for (const name of names) {
      if (!all[name])
        throw new Complaint(
          `--contenders: there is no \`${name}\`; there are: ${Object.keys(all)}`,
        );
    }
    const rounds = Object.fromEntries(names.map((name) => [name, []]));
    try {
      for (let round = 0; round < options.rounds; ++round) {
        for (let i = 0; i < names.length; ++i) {
          const name = names[(round + i) % names.length];
          const own = path.join(folder, `${name}-${round}`);
          mkdirSync(own);
          rounds[name].push(await measure(name, all[name], own, options));
          console.error(
            `round ${round + 1}, ${name}: ${Math.round(rounds[name].at(-1).json.per_s)} JSON/s, ` +
              `${Math.round(rounds[name].at(-1).sse.per_s)} SSE/s`,
          );
        }
      }
    } finally {
      await upstream.stop();
      paced.stop();
    }
    const results = Object.fromEntries(
      Object.entries(rounds).map(([name, all]) => [name, medians(all)]),
    );
    show(results);
    const failed = Object.entries(results)
      .filter(([, {json, sse}]) => json.errors + sse.errors > 0)
      .map(([name]) => `${name} lost requests`);
    return {medians: results, rounds, failed};
  }),
);
