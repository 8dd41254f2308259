// What the measuring programs of the server share: options, figures, child processes, and where
// memory, descriptors and a processor's time stand.
import {spawn} from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';

const root = path.resolve(import.meta.dirname, '..');

/// A mistake of the user's, or of what a program was given: shown without a stack.
export class Complaint extends Error {}

/// Runs a program: `about` is what --help says first, `options` are {name: {value, help}}, where
/// `value` is the default, whose type an option's value must have; false makes it a flag. --json,
/// --lichen and --help come by themselves. `run` gets the values; what it returns goes to the
/// file named by --json; exits with 1 where `run` throws or its result has `failed`.
export async function main(about, options, run) {
  const all = {
    ...options,
    lichen: {
      value: process.env.LICHEN_BIN ?? path.join(root, 'build/release/src/cli/lichen'),
      help: 'the program that is measured',
    },
    json: {value: '', help: 'a file for all figures'},
  };
  try {
    const values = read(about, all);
    const result = {
      at: new Date().toISOString(),
      cpus: os.cpus().length,
      cpu: os.cpus()[0].model,
      options: values,
      ...(await run(values)),
    };
    if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
    process.exitCode = result.failed?.length ? 1 : 0;
    for (const what of result.failed ?? []) console.error(`FAILED: ${what}`);
  } catch (error) {
    console.error(error instanceof Complaint ? error.message : error);
    process.exitCode = 1;
  }
}

function read(about, all) {
  const usage = () => {
    const width = Math.max(...Object.keys(all).map((name) => name.length));
    const lines = Object.entries(all).map(
      ([name, {value, help}]) =>
        `  --${name.padEnd(width)}  ${help}${value === false || value === '' ? '' : ` (${value})`}`,
    );
    return `${about}\n\n${lines.join('\n')}\n`;
  };
  const kinds = Object.fromEntries(
    Object.entries(all).map(([name, {value}]) => [
      name,
      {type: value === false ? 'boolean' : 'string'},
    ]),
  );
  let given;
  try {
    given = parseArgs({options: {...kinds, help: {type: 'boolean'}}}).values;
  } catch (error) {
    throw new Complaint(`${error.message}\n--help lists the options.`);
  }
  if (given.help) {
    console.log(usage());
    process.exit(0);
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, {value}]) => {
      const text = given[name];
      if (text === undefined || typeof value !== 'number') return [name, text ?? value];
      const number = Number(text);
      if (text === '' || !(number >= 0)) {
        throw new Complaint(`--${name}: must be a number from 0 up, not \`${text}\``);
      }
      return [name, number];
    }),
  );
}

export const sleep = (ms) =>
  new Promise((done) => {
    setTimeout(done, ms);
  });

/// The value at a share of a list's values, by size; undefined of an empty list.
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
export const median = (values) => percentile(values, 0.5);

/// Columns are as wide as they need to be; what is no text is put to the right.
export function table(head, rows) {
  const text = (cell) => (cell === undefined || cell === null ? '-' : String(cell));
  const widths = head.map((title, i) =>
    Math.max(...[title, ...rows.map((row) => row[i])].map((cell) => text(cell).length)),
  );
  const line = (cells) =>
    cells
      .map((cell, i) => (i === 0 ? text(cell).padEnd(widths[i]) : text(cell).padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join(
    '\n',
  );
}

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net
      .createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const {port} = server.address();
        server.close(() => resolve(port));
      });
  });

/// Calls `work` with a new folder, which goes afterwards.
export async function inFolder(work) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lichen-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

export async function waitFor(what, seconds, ready) {
  const end = performance.now() + 1000 * seconds;
  while (!(await ready())) {
    if (performance.now() > end) throw new Complaint(`${what} is not there after ${seconds} s`);
    await sleep(20);
  }
}

export const listens = (port) =>
  new Promise((resolve) => {
    const socket = net.connect({port, host: '127.0.0.1'});
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/// A child process whose output goes to `log`; `cpu` is the only one that it may use, `stop` gives
/// its exit code or signal.
export function start(command, args, {log, cpu, cwd, env} = {}) {
  const out = log ? openSync(log, 'a') : 'ignore';
  const words =
    cpu === undefined ? [command, ...args] : ['taskset', '-c', `${cpu}`, command, ...args];
  const child = spawn(words[0], words.slice(1), {
    cwd,
    stdio: ['ignore', out, out],
    env: {...process.env, ...env},
  });
  if (log) closeSync(out);
  children.add(child);
  const ended = new Promise((done) => {
    child.once('exit', (code, signal) => {
      children.delete(child);
      done(code ?? signal);
    });
    child.once('error', (error) => {
      children.delete(child);
      done(error.message);
    });
  });
  const stop = (signal = 'SIGTERM') => {
    if (children.has(child)) child.kill(signal);
    return ended;
  };
  return {pid: child.pid, ended, stop, running: () => children.has(child)};
}

/// `lichen serve` with a configuration in a folder; resolves when it answers.
export async function startLichen(lichen, folder, config, {port, wrap, ...how} = {}) {
  const file = path.join(folder, 'lichen.yaml');
  const log = path.join(folder, 'lichen.log');
  const at = port ?? (await freePort());
  writeFileSync(file, config);
  writeFileSync(log, ''); // of this start only
  const words = [...(wrap ?? []), lichen, 'serve', '--config', file, '--port', String(at)];
  const process = start(words[0], words.slice(1), {log, ...how});
  await waitFor(`lichen serve (${log})`, 60, async () => {
    if (!process.running()) {
      throw new Complaint(`lichen serve ended (${await process.ended}): ${logged(log)}`);
    }
    return readFileSync(log, 'utf8').includes('listening on http');
  });
  return {...process, port: at, log: () => logged(log)};
}

function logged(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/// Of a process and the threads in it.
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(/VmRSS:\s+(\d+)/)[1]) / 1024; // MiB
}
export const descriptorsOf = (pid) => readdirSync(`/proc/${pid}/fd`).length;
/// How many of them are connections to a port of this machine, closed by the other side or not.
export function connectionsTo(port, pid) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[2]?.endsWith(`:${hex}`))
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}
/// Seconds of processor time until now.
export function processorTimeOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
