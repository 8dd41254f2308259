// node benchmarks/ledger.mjs LEDGER_BENCH: receipts a second into a SQLite file and into a PostgreSQL
// server on the same disk, started for this with its own settings (every commit synced) and reached
// over a unix socket. Each three times, in turn; medians. Prints JSON.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

const bench = process.argv[2];
const folder = mkdtempSync(join(process.env.LICHEN_BENCH_DIR ?? tmpdir(), 'lichen-ledger-'));

function programs() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => b - a) : [];
  return versions.length ? join(debian, versions[0], 'bin') : '';
}

// PostgreSQL refuses root.
function owner() {
  if (process.getuid() !== 0) return {};
  const id = (what) => Number(execFileSync('id', [what, 'postgres']));
  return { uid: id('-u'), gid: id('-g') };
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const measure = (place) => JSON.parse(execFileSync(bench, [place], { encoding: 'utf8' }));

let server;
try {
  const user = owner();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  execFileSync(join(programs(), 'initdb'), ['-D', data, '-U', 'owner', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
    { ...user, cwd: folder, stdio: 'ignore' });
  server = spawn(join(programs(), 'postgres'), ['-D', data, '-k', folder, '-c', 'listen_addresses='],
    { ...user, cwd: folder, stdio: 'ignore' });
  const ready = () => {
    try {
      execFileSync(join(programs(), 'pg_isready'), ['-h', folder], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  for (let tries = 0; !ready(); ++tries) {
    if (tries > 300) throw new Error('the server does not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const rounds = [0, 1, 2].map((round) => ({
    sqlite: measure(join(folder, `ledger${round}.db`)),
    postgresql: measure(`postgresql://owner@/postgres?host=${folder}`),
  }));
  const of = (get) => median(rounds.map(get));
  const sqlite = of((round) => round.sqlite.receipts_per_s);
  const postgresql = of((round) => round.postgresql.receipts_per_s);
  console.log(JSON.stringify({
    cpu: `${cpus()[0].model}, ${cpus().length} cores`,
    sqlite: { receipts_per_s: sqlite },
    postgresql: {
      receipts_per_s: postgresql,
      reservations_per_s: {
        one_key: of((round) => round.postgresql.reservations_per_s.one_key),
        a_key_a_thread: of((round) => round.postgresql.reservations_per_s.a_key_a_thread),
      },
    },
    ratio: Number((postgresql / sqlite).toFixed(2)),
  }, null, 2));
} finally {
  if (server) {
    server.kill('SIGINT');
    await new Promise((resolve) => server.on('exit', resolve));
  }
  rmSync(folder, { recursive: true, force: true });
}
