// `--offline` opens no outgoing socket: in a namespace whose kernel counts, no connection is begun
// but those that the server accepts, and no datagram leaves. Without it the same counters move.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const namespaces = [['-nm'], ['-rnm']]
  .find((flags) => spawnSync('unshare', [...flags, 'true']).status === 0);
const refused = namespaces ? false : 'this machine lets nobody make a network namespace';
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lichen-offline-'));
  // So that look-ups are datagrams to loopback, which are counted.
  await writeFile(join(folder, 'resolv.conf'),
                  'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
});
after(() => rm(folder, { recursive: true, force: true }));

function inNamespace(options) {
  const inside = join(import.meta.dirname, 'offline_inside.mjs');
  const script = `mount --bind "$1/resolv.conf" /etc/resolv.conf && ip link set lo up && shift &&
                  exec "$@"`;
  return new Promise((done, failed) => {
    execFile('unshare', [...namespaces, 'sh', '-c', script, 'sh', folder, process.execPath, inside,
                         ...options],
             (error, out, problems) => {
               if (error) return failed(new Error(`${error.message}\n${problems}`));
               done(JSON.parse(out));
             });
  });
}

test('offline, local models answer and nothing is sent', { skip: refused }, async () => {
  const { answers, counts } = await inNamespace(['--offline']);
  for (const plan of ['fallback', 'route', 'cascade', 'small']) {
    assert.equal(answers[plan].status, 200, JSON.stringify(answers[plan]));
    assert.ok(answers[plan].text.length > 0);
  }
  for (const plan of ['fallback', 'route', 'cascade']) {
    assert.ok(answers[plan].choices.includes('offline'), `the receipt of ${plan} says so`);
  }
  for (const model of ['near', 'far']) {
    assert.equal(answers[model].status, 503);
    assert.equal(answers[model].code, 'offline');
  }
  assert.equal(counts.begun, counts.accepted, 'each connection is a client\'s to the server');
  assert.ok(counts.accepted > 0);
  assert.equal(counts.datagrams, 0, 'no name was looked up');
});

test('the same requests are seen where nothing keeps them in', { skip: refused }, async () => {
  const { answers, counts } = await inNamespace([]);
  assert.equal(answers.fallback.status, 200);
  assert.equal(answers.near.status, 502);
  assert.ok(counts.begun > counts.accepted, JSON.stringify(counts));
  assert.ok(counts.datagrams > 0, JSON.stringify(counts));
});
