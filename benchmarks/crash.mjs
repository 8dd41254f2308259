// `lichen serve` is killed under load, again and again: afterwards the ledger's file must be whole,
// and hold the receipt of every reply that a client had in full.
import {execFileSync} from 'node:child_process';
import path from 'node:path';

import {events, startEndpoint, whole} from './endpoint.mjs';
import {exchange} from './exchange.mjs';
import {Complaint, inFolder, main, sleep, startLichen, table} from './programs.mjs';

const about = `node crash.mjs [OPTIONS]

Starts lichen serve, has clients ask it, whole replies and streams in turns, kills it with SIGKILL
after a while, starts it again on the same ledger, and looks there: PRAGMA integrity_check, and the
receipts of the replies that had arrived. Needs sqlite3.

Without --durable, receipts of the last milliseconds may be missing; they are counted. With it
(ledger: {durable: true}) a missing one is a failure.`;

const options = {
  kills: {value: 200, help: 'how often'},
  clients: {value: 16, help: 'at once'},
  'at-least': {value: 100, help: 'ms of load before a kill'},
  'at-most': {value: 500, help: 'ms of load before a kill'},
  durable: {value: false, help: 'replies end when their receipts are on disk'},
};

/// What the ledger's file answers; the program that was started on it may have it locked for a moment.
function sqlite(ledger, script) {
  try {
    return execFileSync('sqlite3', ['-readonly', ledger], {
      input: `.timeout 10000\n${script}`,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trim();
  } catch (error) {
    throw new Complaint(
      error.code === 'ENOENT'
        ? 'sqlite3 is missing; cmake/bench_packages.txt lists what is needed'
        : `sqlite3 cannot read ${ledger}: ${error.stderr}`,
    );
  }
}

/// Those of `receipts` that the ledger lacks.
function missing(ledger, receipts) {
  if (receipts.length === 0) return [];
  const values = receipts.map((id) => `('${id}')`).join(',');
  const out = sqlite(
    ledger,
    `WITH asked(id) AS (VALUES ${values})
    SELECT id FROM asked WHERE id NOT IN (SELECT id FROM receipts);`,
  );
  return out === '' ? [] : out.split('\n');
}

/// Asks until the server is gone; adds the receipts of complete replies to `acknowledged`.
async function client(port, number, acknowledged, state) {
  for (let i = number; !state.killed; ++i) {
    const stream = i % 2 === 0;
    const body = JSON.stringify({
      model: 'cloud',
      stream,
      messages: [{role: 'user', content: `Question ${i}`}],
    });
    try {
      const reply = await exchange({port, body, keep: true});
      const complete = reply.status === 200 && (!stream || reply.text.includes('data: [DONE]'));
      if (!complete) throw new Error(`${reply.status}: ${reply.text.slice(0, 300)}`);
      acknowledged.push(reply.receipt);
    } catch (error) {
      if (state.killed) return;
      await sleep(0); // the kill may be known in a moment
      if (state.killed) return;
      throw error;
    }
  }
}

async function oneKill(lichen, clients, wait) {
  const acknowledged = [];
  const state = {killed: false};
  const running = Promise.all(
    Array.from({length: clients}, (_, i) => client(lichen.port, i, acknowledged, state)),
  );
  await Promise.race([sleep(wait), running]);
  state.killed = true;
  const ended = await lichen.stop('SIGKILL');
  if (ended !== 'SIGKILL')
    throw new Complaint(`lichen serve ended by itself (${ended}): ${lichen.log()}`);
  await running;
  return acknowledged;
}

await main(about, options, (options) =>
  inFolder(async (folder) => {
    const text = 'An answer that is kept.';
    const endpoint = await startEndpoint((body) =>
      body.stream ? {parts: [events(text).join('')]} : {body: whole(text)},
    );
    const ledger = path.join(folder, 'ledger.db');
    const config =
      `models:\n  cloud: {url: "${endpoint.url}", model: bench}\n` +
      `ledger: {path: "${ledger}"${options.durable ? ', durable: true' : ''}}\n`;
    const figures = {
      kills: 0,
      acknowledged: 0,
      missing: 0,
      kills_with_missing: 0,
      most_missing: 0,
      damaged: [],
      start_ms: [],
    };
    let lichen = await startLichen(options.lichen, folder, config);
    try {
      while (figures.kills < options.kills) {
        const wait =
          options['at-least'] + Math.random() * (options['at-most'] - options['at-least']);
        const acknowledged = await oneKill(lichen, options.clients, wait);
        const begun = performance.now();
        lichen = await startLichen(options.lichen, folder, config);
        figures.start_ms.push(performance.now() - begun);
        const integrity = sqlite(ledger, 'PRAGMA integrity_check;');
        if (integrity !== 'ok') figures.damaged.push(integrity);
        const lost = missing(ledger, acknowledged);
        figures.kills += 1;
        figures.acknowledged += acknowledged.length;
        figures.missing += lost.length;
        figures.kills_with_missing += lost.length > 0 ? 1 : 0;
        figures.most_missing = Math.max(figures.most_missing, lost.length);
        if (figures.kills % 20 === 0)
          console.error(
            `${figures.kills} kills, ${figures.acknowledged} replies, ${figures.missing} receipts missing`,
          );
      }
    } finally {
      await lichen.stop();
      endpoint.stop();
    }
    const written = Number(sqlite(ledger, 'SELECT count(*) FROM receipts;'));
    console.log(
      table(
        [
          'kills',
          'replies',
          'receipts in the ledger',
          'missing',
          'kills with missing',
          'most at once',
          'damaged files',
        ],
        [
          [
            figures.kills,
            figures.acknowledged,
            written,
            figures.missing,
            figures.kills_with_missing,
            figures.most_missing,
            figures.damaged.length,
          ],
        ],
      ),
    );
    const failed = figures.damaged.map((what) => `integrity_check: ${what}`);
    if (options.durable && figures.missing > 0)
      failed.push(`${figures.missing} acknowledged receipts are missing`);
    if (figures.acknowledged === 0) failed.push('no reply came');
    return {...figures, written, failed};
  }),
);
