// Plays the prompts of a suite to a plan of `lichen serve`, some at once, and prints how many small
// answered, as JSON.
//
//   node traffic.mjs LICHEN CONFIG PLAN suite.jsonl [AT ONCE]
import {readFileSync} from 'node:fs';

import {bySmall, startServing} from './served.mjs';

const [lichen, config, plan, suite, atOnce = '8'] = process.argv.slice(2);
const prompts = readFileSync(suite, 'utf8').trim().split('\n').map((line) => JSON.parse(line).prompt);
const server = await startServing(lichen, config);
let small = 0;
let failed = 0;
const left = prompts.values();
await Promise.all(Array.from({length: Number(atOnce)}, async () => {
  for (const prompt of left) {
    try {
      const receipt = await server.ask(plan, prompt);
      small += bySmall(receipt);  // read behind the waiting: others have counted meanwhile
    } catch (error) {
      failed += 1;
      console.error(error.message);
    }
  }
}));
const log = await server.stop();
console.log(JSON.stringify({plan, suite, requests: prompts.length, by_small: small, failed, log}, null, 1));
