// `lichen distill` on the bundled pair and on a teacher at an endpoint.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { bundled, startLichen, startProgram } from './server.mjs';

let folder;
let config;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lichen-distill-'));
  config = join(folder, 'lichen.yaml');
  await writeFile(config, `models:\n  large: {gguf: "${bundled.large}", threads: 1}\nledger: {path: none}\n`);
});

after(() => rm(folder, { recursive: true, force: true }));

const start = (args, file = config) =>
  startProgram(['distill', ...args, '--config', file], folder);

/// A collection that must succeed, and its figures.
async function collect(output, args, file = config) {
  const { code, out, err } = await start(['collect', '-o', output, '--json', '-', ...args], file).ended;
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

/// The header of a safetensors file.
async function header(file) {
  const bytes = await readFile(join(folder, file));
  const size = Number(bytes.readBigUInt64LE(0));
  return JSON.parse(bytes.subarray(8, 8 + size).toString());
}

const families = ['--families', 'add,sort,weekday'];

test('a capture is a safetensors file, made anew only where something is new', async () => {
  const first = await collect('a.safetensors', ['--teacher', 'large', '--count', '6', ...families]);
  assert.equal(first.kept, first.examples);
  const found = await header('a.safetensors');
  assert.equal(found.__metadata__.format, 'lichen-capture 1');
  assert.deepEqual(found.top.shape, [first.tokens, 48]);
  assert.equal(first.bytes, (await stat(join(folder, 'a.safetensors'))).size);

  const more = await collect('a.safetensors', ['--teacher', 'large', '--count', '8', ...families]);
  assert.equal(more.known, first.kept);
  assert.ok(more.examples > first.examples);
});

test('a killed collection goes on', async () => {
  const args = ['collect', '--teacher', 'large', '--count', '24', '--concurrency', '2',
    '-o', 'killed.safetensors', '--json', '-', ...families];
  const { child, ended } = start(args);
  const journal = join(folder, 'killed.safetensors.partial');
  while (child.exitCode === null && (!existsSync(journal) || (await stat(journal)).size < 20000)) {
    await new Promise((done) => setTimeout(done, 5));
  }
  child.kill('SIGKILL');
  assert.equal((await ended).code, 'SIGKILL');
  assert.ok(!existsSync(join(folder, 'killed.safetensors')));
  const { code, out, err } = await start(args).ended;
  assert.equal(code, 0, err);
  const report = JSON.parse(out);
  assert.ok(report.known > 0, out);
  assert.equal(report.examples + report.wrong, 24);
});

test('a teacher at an endpoint gives twenty alternatives', async () => {
  const server = await startLichen(await readFile(config, 'utf8'));
  try {
    const remote = join(folder, 'remote.yaml');
    await writeFile(remote, `models:\n  cloud: {url: "${server.url}/v1", model: large}\nledger: {path: none}\n`);
    const report = await collect('remote.safetensors',
      ['--teacher', 'cloud', '--count', '3', ...families], remote);
    assert.equal(report.kept + report.wrong, 3);
    assert.ok(report.kept > 0);
    const found = await header('remote.safetensors');
    assert.deepEqual(found.top.shape, [report.tokens, 20]);
    assert.ok(report.tokens > 5);
  } finally {
    await server.stop();
  }
});

test('what cannot be is said', async () => {
  const failing = async (...args) => (await start(['collect', '-o', 'no.safetensors', ...args]).ended);
  const unknown = await failing('--teacher', 'larg');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /large/);
  const recorded = await failing('--teacher', 'large', '--recorded');
  assert.notEqual(recorded.code, 0);
  assert.match(recorded.err, /no recorded prompt/);
});
