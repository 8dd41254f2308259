// A plan with `shadow` under traffic of one kind, which then is swapped for another: after how many
// requests is there an alarm, and is there none without the swap? Prints counts as JSON.
//
//   node drift.mjs LICHEN CONFIG PLAN suite.jsonl[:requests] [suite.jsonl[:requests] ...]
//
// An alarm that is kept from an earlier run counts from the start, so remove its file before.
import {readFileSync} from 'node:fs';

import {bySmall, startServing} from './served.mjs';

const [lichen, config, plan, ...suites] = process.argv.slice(2);
const {call, ask, stop} = await startServing(lichen, config);

/// The watch's metrics.
async function watch() {
  const {text} = await call('GET', '/metrics');
  const read = (name) => Number(text.match(
      new RegExp(`^${name}\\{[^}]*plan="${plan}"[^}]*\\} (\\S+)`, 'm'))?.[1]);
  return {
    looked_at: read('lichen_drift_looked_at_total'),
    losses: read('lichen_drift_losses_total'),
    alarm: read('lichen_drift_alarm') === 1,
  };
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/// Large answers in the background, which takes as long as it takes.
async function settled() {
  for (let before = -1, now = await watch(); now.looked_at !== before; now = await watch()) {
    before = now.looked_at;
    await pause(1000);
  }
}

const phases = [];
for (const phase of suites) {
  const [suite, wanted] = phase.split(':');
  const prompts = readFileSync(suite, 'utf8').trim().split('\n').map((line) => JSON.parse(line).prompt);
  const requests = Number(wanted ?? prompts.length);
  const before = await watch();
  let answered = 0;
  let alarmAfter = before.alarm ? 0 : null;
  for (let i = 0; i < requests; ++i) {
    const small = bySmall(await ask(plan, prompts[i % prompts.length]));
    answered += small;
    // Requests come about as fast as large can follow.
    if (small) await pause(50);
    if (alarmAfter === null && (await watch()).alarm) alarmAfter = i + 1;
  }
  await settled();
  const after = await watch();
  phases.push({
    suite, requests, by_small: answered, looked_at: after.looked_at - before.looked_at,
    losses: after.losses - before.losses, alarm: after.alarm, alarm_after: alarmAfter,
  });
}
console.log(JSON.stringify({plan, phases, log: await stop()}, null, 1));
