// Starts `lichen serve` with a configuration of the test's, on a free port.
import { spawn } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = process.env.LICHEN_SOURCE_DIR ?? resolve(import.meta.dirname, '../..');
export const lichen = process.env.LICHEN_BIN ?? join(root, 'build/release/src/cli/lichen');
export const bundled = {
  small: join(root, 'models/lichen-small.gguf'),
  large: join(root, 'models/lichen-large.gguf'),
  other: join(root, 'models/lichen-other.gguf'),
  guard: join(root, 'models/lichen-small-guard.gguf'),
  names: join(root, 'models/lichen-names.gguf'),
};

/// Starts the program in a folder, which has its caches, too; `ended` gives its exit code or signal
/// and what it wrote.
export function startProgram(args, folder) {
  const child = spawn(lichen, args, {
    cwd: folder,
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((done) =>
    child.once('close', (code, signal) => done({ code: code ?? signal, out, err })));
  return { child, ended };
}

/// Resolves when the server listens; `stop` sends SIGTERM and gives its exit code.
export async function startLichen(config, env = {}, options = []) {
  const folder = await mkdtemp(join(tmpdir(), 'lichen-test-'));
  const file = join(folder, 'lichen.yaml');
  await writeFile(file, config);
  const child = spawn(lichen, ['serve', '--config', file, '--port', '0', ...options], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((done) => {
    child.once('exit', (code, signal) => done(code ?? signal));
    child.once('error', (problem) => done(problem.message));
  });
  const url = await new Promise((listening, failed) => {
    child.stdout.on('data', (data) => {
      output += data;
      const found = output.match(/listening on (http:\/\/\S+)/);
      if (found) listening(found[1]);
    });
    child.stderr.on('data', (data) => (output += data));
    ended.then((why) => failed(new Error(`lichen serve ended (${why}):\n${output}`)));
  });
  return {
    url,
    pid: child.pid,
    output: () => output,
    /// In place of the configuration that is there, whole from one moment to the next.
    async configure(text) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    },
    signal: (name) => child.kill(name),
    /// Resolves when the program has written so.
    async says(wanted) {
      for (let waited = 0; !wanted.test(output); waited += 10) {
        if (waited > 30_000) throw new Error(`${wanted} is never said:\n${output}`);
        await new Promise((soon) => setTimeout(soon, 10));
      }
    },
    ended,
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}
