// A suite of questions with an answer of several points, for `expand`: those outline tasks that give
// notes about somebody ("age 69; city Rome"), asked plainly. Right is what has every note's value.
// `lichen suite --families outline --count 400 | node portraits.mjs > portraits.jsonl`
import { readFileSync } from 'node:fs';

const escape = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

for (const line of readFileSync(0, 'utf8').split('\n')) {
  if (!line) continue;
  const { id, level, prompt, reference } = JSON.parse(line);
  const question = prompt.slice(0, prompt.indexOf('\n\nDo not answer yet.'));
  const values = reference.split('\n').map(
    point => question.match(new RegExp(`[:;] ${escape(point)} ([^;.]+)[;.]`))?.[1]);
  if (values.includes(undefined)) continue;  // nothing is noted: it asks what the model knows
  console.log(JSON.stringify({
    id, family: 'portrait', level, prompt: question, check: 'regex',
    reference: values.map(value => `(?=[\\s\\S]*\\b${escape(value)}\\b)`).join(''),
  }));
}
