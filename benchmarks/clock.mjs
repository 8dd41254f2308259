// The wall clock jumps while `lichen serve` works: no deadline, pause or timeout may notice.
import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';

import {delta, startEndpoint, whole} from './endpoint.mjs';
import {exchange} from './exchange.mjs';
import {Complaint, inFolder, main, sleep, startLichen, table} from './programs.mjs';

const about = `node clock.mjs [OPTIONS]

Runs lichen serve under libfaketime, which moves its wall clock by an hour forwards and then two
backwards in the midst of each case, and looks whether everything happens when it should. Needs
Debian's package faketime.`;

const options = {
  library: {value: '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1', help: 'libfaketime'},
  tolerance: {value: 200, help: 'ms by which a case may be late or early'},
};

const hour = 3_600_000;
const ask = (port, model, more = {}, headers = {}) =>
  exchange({
    port,
    headers,
    body: JSON.stringify({model, messages: [{role: 'user', content: 'Go.'}], ...more}),
  });

/// Takes the time of `work`, in the midst of which the clock jumps.
async function during(clock, seconds, work) {
  const begun = performance.now();
  const working = work();
  await sleep(250 * seconds);
  clock.set(hour);
  await sleep(250 * seconds);
  clock.set(-hour);
  const result = await working;
  clock.set(0);
  return {ms: performance.now() - begun, ...result};
}

/// Each returns {ms, expected, right, what}.
const cases = {
  async 'a stream ends at its deadline of 2 s'({port, clock}) {
    const {ms, text} = await during(clock, 2, () =>
      ask(port, 'endless', {stream: true}, {'x-lichen-deadline-ms': '2000'}),
    );
    return {ms, expected: 2000, right: text.includes('deadline'), what: text.slice(-200)};
  },
  async 'a whole answer ends at its deadline of 2 s'({port, clock}) {
    const {ms, status, text} = await during(clock, 2, () =>
      ask(port, 'silent', {}, {'x-lichen-deadline-ms': '2000'}),
    );
    return {ms, expected: 2000, right: status === 504, what: text};
  },
  async 'a silent endpoint is left after 1 s (`timeouts: idle`)'({port, clock}) {
    const {ms, text} = await during(clock, 1, () => ask(port, 'stalls', {stream: true}));
    return {ms, expected: 1000, right: text.includes('idle'), what: text.slice(-200)};
  },
  async 'a second attempt follows after `Retry-After: 1`'({port, clock}) {
    const {ms, status, text} = await during(clock, 1, () => ask(port, 'again'));
    return {ms, expected: 1000, right: status === 200, what: text};
  },
  async 'a breaker opens for 5 s'({port, clock, asked}) {
    for (let i = 0; i < 6; ++i) await ask(port, 'broken');
    const before = asked.broken;
    return during(clock, 5, async () => {
      const begun = performance.now();
      let tried;
      while (asked.broken === before && performance.now() - begun < 20_000) {
        await ask(port, 'broken');
        tried = performance.now() - begun;
        await sleep(20);
      }
      return {
        expected: 5000,
        right: asked.broken > before,
        what: `asked anew after ${tried?.toFixed(0)} ms`,
      };
    });
  },
  async 'an idle connection stays open for an hour of the wall clock'({port, clock}) {
    const one = (keep) =>
      exchange({
        port,
        keep,
        body: JSON.stringify({model: 'good', messages: [{role: 'user', content: 'Go.'}]}),
      });
    const {socket} = await one(true);
    const {ms} = await during(clock, 1, () => sleep(1000));
    const again = await one(true);
    return {
      ms,
      expected: 1000,
      right: again.status === 200 && again.socket === socket,
      what: again.text,
    };
  },
  async 'a receipt has the time of the wall clock, and how long it really took'({
    port,
    clock,
    receipt,
  }) {
    clock.set(hour);
    await sleep(50);
    const now = Date.now();
    const {ms, receipt: id} = await during(clock, 1, () =>
      ask(port, 'endless', {stream: true}, {'x-lichen-deadline-ms': '1000'}),
    );
    const {started, total_ms} = await receipt(id);
    const off = new Date(started).getTime() - now - hour;
    return {
      ms,
      expected: 1000,
      right: Math.abs(off) < 5000 && Math.abs(total_ms - 1000) < 200,
      what: `started ${started}, total_ms ${total_ms}`,
    };
  },
};

function behave(asked) {
  return (body) => {
    asked[body.model] = (asked[body.model] ?? 0) + 1;
    switch (body.model) {
      case 'endless':
        return {parts: Array(300).fill(delta({content: 'word '})), pause: 100};
      case 'silent':
        return {parts: ['', ''], pause: 60_000};
      case 'stalls':
        return {parts: [delta({content: 'word'}), ''], pause: 60_000};
      case 'again':
        return asked.again % 2 === 1
          ? {status: 429, headers: {'retry-after': '1'}, body: '{"error":{"message":"later"}}'}
          : {body: whole('Yes.')};
      case 'broken':
        return {status: 500, body: '{"error":{"message":"broken"}}'};
      default:
        return {body: whole('Yes.')};
    }
  };
}

await main(about, options, (options) =>
  inFolder(async (folder) => {
    if (!existsSync(options.library))
      throw new Complaint(
        `${options.library} is missing: apt-get install faketime, or name it with --library`,
      );
    const asked = {};
    const endpoint = await startEndpoint(behave(asked));
    const file = path.join(folder, 'clock');
    const clock = {
      set: (ms) => writeFileSync(file, `${ms < 0 ? '-' : '+'}${Math.abs(ms) / 1000}\n`),
    };
    clock.set(0);
    const model = (name, more = '') =>
      `  ${name}: {url: "${endpoint.url}", model: ${name}${more}}\n`;
    const config =
      `models:\n${model('endless')}${model('silent')}${model('stalls', ', timeouts: {idle: 1s}, retries: 0')}` +
      `${model('again')}${model('broken', ', retries: 0')}${model('good')}` +
      `serve: {plan: good}\nledger: {path: "${path.join(folder, 'ledger.db')}"}\n`;
    const env = {
      LD_PRELOAD: options.library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    const lichen = await startLichen(options.lichen, folder, config, {env});
    const {port} = lichen;
    const results = [];
    const receipt = async (id) =>
      JSON.parse((await exchange({port, body: null, target: `/v1/receipts/${id}`})).text);
    try {
      clock.set(hour);
      await sleep(1200); // the Date header is made once a second
      const {headers} = await exchange({port, body: null, target: '/health'});
      const ahead = new Date(headers.date).getTime() - Date.now();
      clock.set(0);
      if (Math.abs(ahead - hour) > 5000)
        throw new Complaint(`the server's clock did not jump: it is ${ahead} ms ahead of ours`);
      for (const [name, run] of Object.entries(cases)) {
        const {ms, expected, right, what} = await run({port, clock, asked, receipt});
        const good = right && Math.abs(ms - expected) <= options.tolerance;
        results.push({name, good, ms, expected_ms: expected, what: String(what ?? '')});
      }
    } finally {
      await lichen.stop();
      endpoint.stop();
    }
    console.log(
      table(
        ['', 'expected ms', 'took ms', ''],
        results.map(({name, good, ms, expected_ms}) => [
          name,
          expected_ms,
          Math.round(ms),
          good ? 'good' : 'WRONG',
        ]),
      ),
    );
    return {
      results,
      failed: results
        .filter(({good}) => !good)
        .map(({name, ms, what}) => `${name}: ${Math.round(ms)} ms: ${what}`),
    };
  }),
);
