// `speculate` against llama-speculative-simple of the same source: the bundled pair, the same
// prompts, greedy, one request at a time, two threads on two cores. First the baseline's best
// settings are looked for on some of the prompts; then the best of them, plain decoding and
// Lichen's plans take turns with all prompts. Prints tokens/s and ratios as JSON.
//
//   node speculate.mjs LICHEN LLAMA_SPECULATIVE_SIMPLE ROOT [prompts] [rounds]
//
// A token counts where it is chosen, the end of an answer is one. `decode` is the time after the
// target has read the prompt: in Lichen's the drafter's reading of it is part, since that begins
// after the first token, in the baseline's it is not; `decode_reading` has it in both. `whole` is
// reading and writing; Lichen's has chat template and tokenizer in it, too.
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [lichen, baseline, root, count = '40', rounds = '3'] = process.argv.slice(2);
const pinned = ['-c', '0,1'];
const longest = 512;  // tokens of an answer
const sample = 12;    // prompts on which settings are compared
const plans = ['by-both', 'by-small'];
const models = ['large', 'small'].map((name) => path.join(root, `models/lichen-${name}.gguf`));
const folder = mkdtempSync(path.join(os.tmpdir(), 'lichen-bench-'));
process.on('exit', () => rmSync(folder, {recursive: true}));

const suite = path.join(folder, 'suite.jsonl');
const tasks = execFileSync(lichen, ['suite', '--count', count], {encoding: 'utf8'});
writeFileSync(suite, tasks);
// The bundled models' chat template, which the baseline does not apply. It drops one newline at the
// file's end.
const prompts = tasks.trim().split('\n').map((line, i) => {
  const file = path.join(folder, `prompt-${i}`);
  const text = `<|im_start|>user\n${JSON.parse(line).prompt}<|im_end|>\n<|im_start|>assistant\n`;
  writeFileSync(file, `${text}\n`);
  return {file, text};
});

// One prompt, one process: seconds that it says, and its answer.
function ask(prompt, setting, tries = 5) {
  const {max, pMin, attention, draftThreads} = setting;
  const drafts = max === 0 ?  // copies of 1,024 tokens are never found
      ['--spec-type', 'ngram-simple', '--spec-ngram-simple-size-n', '1024'] :
      ['--spec-type', 'draft-simple', '-md', models[1], '-td', String(draftThreads),
       '--spec-draft-n-max', String(max), '--spec-draft-p-min', String(pMin)];
  const {stdout, stderr, status} = spawnSync('taskset', [
    ...pinned, baseline, '-m', models[0], '-f', prompt.file, '--no-escape', '--temp', '0', '-t',
    '2', '-n', String(longest), ...attention, ...drafts,
  ], {encoding: 'utf8', maxBuffer: 1 << 26});
  const at = stdout.indexOf(prompt.text);
  const accepted = stderr.match(/n_accept += (\d+)/);
  if (status !== 0 || at < 0 || !accepted) {
    // Its log is written by a thread that nobody waits for: at times its last lines are lost.
    if (status === 0 && tries > 1) return ask(prompt, setting, tries - 1);
    throw new Error(`${baseline} ended with ${status}: ${stderr}`);
  }
  const timed = (what) => {
    const [, tokens, speed] = stderr.match(RegExp(`${what} +(\\d+) tokens .* speed: +([\\d.]+)`));
    return Number(tokens) / Number(speed);  // the seconds beside them are rounded
  };
  return {
    read: timed('encoded'), write: timed('decoded'),
    text: stdout.slice(at + prompt.text.length).trimEnd(), accepted: Number(accepted[1]),
    drafted: Number(stderr.match(/n_drafted = (\d+)/)[1]),
  };
}

const sum = (list, key) => list.reduce((all, item) => all + item[key], 0);
const askAll = (setting, some = prompts) => {
  const answers = some.map((prompt) => ask(prompt, setting));
  const [read, write, drafted, accepted] =
      ['read', 'write', 'drafted', 'accepted'].map((key) => sum(answers, key));
  return {read, write, drafted, accepted, texts: answers.map((answer) => answer.text)};
};

// The settings, best first: attention and threads with upstream's default length, then lengths.
function bestSettings() {
  const some = prompts.slice(0, sample);
  const sorted = (settings) => settings
      .map((setting) => ({setting, seconds: askAll(setting, some).write}))
      .sort((a, b) => a.seconds - b.seconds).map(({setting}) => setting);
  const start = {max: 3, pMin: 0, draftThreads: 2};
  const [{attention}] = sorted([
    [], ['-fa', 'off'], ['-fa', 'off', '-ctk', 'f32'],
  ].map((attention) => ({...start, attention})));
  const [{draftThreads}] = sorted([1, 2].map((n) => ({...start, attention, draftThreads: n})));
  return sorted([1, 2, 3, 4, 6, 8, 12, 16].flatMap((max) => [0, 0.5, 0.75, 0.9].map(
      (pMin) => ({max, pMin, attention, draftThreads}))));
}

function lichenCells() {
  const out = execFileSync('taskset', [
    ...pinned, lichen, 'bench', 'speculate', '--config', path.join(root, 'examples/speculate.yaml'),
    '--plans', plans.join(','), '--requests', '1', '--temperatures', '0', '--suite', suite,
    '--max-tokens', String(longest), '--json', '-', '--texts',
  ], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26});
  return JSON.parse(out).cells;
}

const settings = bestSettings().slice(0, 3);
const plain = {...settings[0], max: 0};
const runs = {lichen: [], plain: [], drafts: settings.map(() => [])};
for (let i = 0; i < Number(rounds); ++i) {
  runs.lichen.push(lichenCells());
  runs.plain.push(askAll(plain));
  settings.forEach((setting, k) => runs.drafts[k].push(askAll(setting)));
}

const {tokens, answers, texts} = runs.lichen[0][0];  // `tokens` without the ends of answers
const least = (list, of) => Math.min(...list.map(of));
const most = (list, of) => Math.max(...list.map(of));
const ratio = (a, b) => Number((a / b).toFixed(3));
const same = (others) => others.filter((text, i) => text === texts[i].trimEnd()).length;

function ofBaseline(list) {
  const write = least(list, (run) => run.write);
  const read = least(list, (run) => run.read) - least(runs.plain, (run) => run.read);
  return {
    decode: (tokens + answers) / write,
    decode_reading: (tokens + answers) / (write + Math.max(0, read)),
    whole: tokens / least(list, (run) => run.read + run.write),
    accepted: list[0].drafted && ratio(list[0].accepted, list[0].drafted),
    same_answers: same(list[0].texts),
  };
}

// Of a plan, or of the plain decoding that it was measured beside.
function ofLichen(index, plain) {
  const cells = runs.lichen.map((run) => run[index]);
  const ends = (cell) => cell.tokens / (cell.tokens - cell.answers);
  const decode = most(cells, (c) => ends(c) * c.tokens_per_second / (plain ? c.ratio : 1));
  const whole = most(cells, (c) => c.turn_tokens_per_second / (plain ? c.turn_ratio : 1));
  if (plain) return {decode, whole};
  return {decode_reading: decode, whole, accepted: ratio(cells[0].accepted_share, 1),
          same_answers: same(cells[0].texts.map((text) => text.trimEnd()))};
}

const drafts = settings.map((setting, k) => ({...setting, ...ofBaseline(runs.drafts[k])}));
const best = (key) => most(drafts, (row) => row[key]);
const lichens = {plain: ofLichen(0, true)};
plans.forEach((plan, i) => lichens[plan] = ofLichen(i, false));
const plainBaseline = ofBaseline(runs.plain);
const ratios = {
  plain: {decode: ratio(lichens.plain.decode, plainBaseline.decode),
          whole: ratio(lichens.plain.whole, plainBaseline.whole)},
};
for (const plan of plans) {
  const {decode_reading, whole} = lichens[plan];
  ratios[plan] = {
    decode: ratio(decode_reading, best('decode')),
    decode_reading: ratio(decode_reading, best('decode_reading')),
    whole: ratio(whole, best('whole')),
  };
}
const rounded = (key, value) => value > 10 ? Math.round(value) : value;
console.log(JSON.stringify({
  threads: 2, prompts: answers, tokens, rounds: Number(rounds), ratios, lichen: lichens,
  llama_speculative_simple: {drafts, plain: plainBaseline},
}, rounded, 1));
