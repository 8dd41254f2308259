// What masking costs in quality: tasks of the suite's family `placeholders` as they stand, and with
// private values in their placeholders' places, answered by a remote model behind a `mask` and
// without one.
import {execFile} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';

import {Complaint, inFolder, main, startLichen, table} from './programs.mjs';

const root = path.resolve(import.meta.dirname, '..');
const about = `node masking.mjs [OPTIONS]

Makes tasks of the family \`placeholders\`, starts lichen serve with a model as the endpoint, and has
lichen eval ask it
  as they stand   with placeholders, without a mask: what the model can do with placeholders
  values          with a value of its kind in each placeholder's place, without a mask
  masked          with the values, behind a mask that puts its own placeholders there
Fails where masked is worse than as they stand, or than values, by more than a point. The mask calls
placeholders as the suite does: NAME and CARD for PERSON and CREDIT_CARD. Tasks with placeholders of
other kinds than --kinds are left out.`;

const options = {
  tasks: {value: 2000, help: 'how many are made, before those of other kinds are left out'},
  levels: {value: '1,2,3,4', help: 'of which levels'},
  kinds: {value: 'NAME,EMAIL,PHONE,ADDRESS,CARD', help: 'of placeholders'},
  model: {value: path.join(root, 'models/lichen-large.gguf'), help: 'what answers'},
  names: {
    value: path.join(root, 'models/lichen-names.gguf'),
    help: 'the model of names, used with NAME',
  },
  most: {value: 1, help: 'points that the mask may cost'},
};

// One for each number that a placeholder may have; none is anybody's.
const first = [
  'Anna',
  'Bruno',
  'Carla',
  'David',
  'Elena',
  'Frank',
  'Greta',
  'Henry',
  'Irene',
  'Jonas',
  'Karin',
  'Louis',
  'Maria',
  'Nils',
  'Olga',
  'Peter',
  'Rosa',
  'Simon',
  'Tina',
  'Viktor',
];
const last = [
  'Keller',
  'Moreau',
  'Silva',
  'Novak',
  'Berg',
  'Rossi',
  'Hansen',
  'Fischer',
  'Lopez',
  'Meyer',
  'Walker',
  'Jensen',
  'Costa',
  'Weber',
  'Larsen',
  'Bauer',
  'Santos',
  'Turner',
  'Ricci',
  'Olsen',
];
const streets = [
  'Oak Street',
  'Mill Road',
  'Hill Lane',
  'Park Avenue',
  'Lake Road',
  'Church Street',
  'High Street',
  'River Road',
  'Station Road',
  'Garden Lane',
];

function cardNumber(n) {
  const digits = [...`4${String(48_271_935_460_217 + 7_919 * n).padStart(14, '0')}`].map(Number);
  const sum = digits.reduceRight((all, digit, i) => {
    const twice = (digits.length - i) % 2 === 1 ? 2 * digit : digit;
    return all + (twice > 9 ? twice - 9 : twice);
  }, 0);
  return [...digits, (10 - (sum % 10)) % 10].join('').match(/.{4}/g).join(' ');
}

const values = {
  NAME: (n) => `${first[n % 20]} ${last[(3 * n) % 20]}`,
  EMAIL: (n) => `${first[(n + 7) % 20]}.${last[(n + 3) % 20]}@example.org`.toLowerCase(),
  PHONE: (n) => `+1 212 555 01${String(10 + n)}`,
  ADDRESS: (n) => `${3 + 4 * n} ${streets[n % 10]}`,
  CARD: cardNumber,
};

// What a mask calls otherwise than the suite.
const called = {NAME: 'PERSON', CARD: 'CREDIT_CARD'};

const placeholder = /\[([A-Z]+)_(\d+)\]/g;
const filled = (text) => text.replace(placeholder, (_, kind, n) => values[kind](Number(n)));
const kindsIn = (text) => [...text.matchAll(placeholder)].map(([, kind]) => kind);

const percent = (value) => `${(100 * value).toFixed(1)} %`;

await main(about, options, (options) =>
  inFolder(async (folder) => {
    const run = async (...args) => {
      try {
        return (await promisify(execFile)(options.lichen, args, {maxBuffer: 1 << 28})).stdout;
      } catch (error) {
        throw new Complaint(`lichen ${args[0]}: ${error.stderr || error.message}`);
      }
    };
    const kinds = options.kinds.split(',');
    for (const kind of kinds) {
      if (!values[kind])
        throw new Complaint(`--kinds: there is no \`${kind}\`; there are: ${Object.keys(values)}`);
    }
    const made = await run(
      'suite',
      '--families',
      'placeholders',
      '--levels',
      options.levels,
      '--count',
      String(options.tasks),
    );
    const tasks = made
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({prompt}) => kindsIn(prompt).every((kind) => kinds.includes(kind)));
    if (tasks.length === 0) throw new Complaint('no task has only placeholders of these kinds');
    const suites = {
      placeholders: tasks,
      values: tasks.map((task) => ({
        ...task,
        prompt: filled(task.prompt),
        reference: filled(task.reference),
      })),
    };
    const server = await startLichen(
      options.lichen,
      folder,
      `models:\n  large: {gguf: "${path.resolve(options.model)}"}\nledger: {path: none}\n`,
    );
    const config = path.join(folder, 'eval.yaml');
    const masked = kinds.map((kind) => called[kind] ?? kind);
    const placeholders = kinds
      .filter((kind) => called[kind])
      .map((kind) => `${called[kind]}: ${kind}`);
    const names = kinds.includes('NAME') ? `, names: "${path.resolve(options.names)}"` : '';
    writeFileSync(
      config,
      `models:
  cloud: {url: "http://127.0.0.1:${server.port}/v1", model: large}
plans:
  masked:
    mask: {plan: cloud, kinds: [${masked}], placeholders: {${placeholders}}${names}}
ledger: {path: none}\n`,
    );
    const evaluated = async (suite) => {
      const file = path.join(folder, `${suite}.jsonl`);
      const json = path.join(folder, `${suite}.json`);
      writeFileSync(file, suites[suite].map((task) => `${JSON.stringify(task)}\n`).join(''));
      await run(
        'eval',
        '--config',
        config,
        '--suite',
        file,
        '--plans',
        suite === 'values' ? 'masked' : 'cloud',
        '--json',
        json,
      );
      return JSON.parse(readFileSync(json, 'utf8'));
    };
    let reports;
    try {
      reports = {placeholders: await evaluated('placeholders'), values: await evaluated('values')};
    } finally {
      await server.stop();
    }
    const row = (suite, plan) => reports[suite].rows.find((row) => row.plan === plan);
    const rows = {
      'as they stand': row('placeholders', 'cloud'),
      values: row('values', 'cloud'),
      masked: row('values', 'masked'),
    };
    console.log(
      table(
        ['', 'tasks', 'right', '95 % interval', 'failed'],
        Object.entries(rows).map(([name, {n, accuracy, accuracy_low, accuracy_high, failures}]) => [
          name,
          n,
          percent(accuracy),
          `${percent(accuracy_low)} - ${percent(accuracy_high)}`,
          failures,
        ]),
      ),
    );
    const failed = ['as they stand', 'values']
      .filter((name) => rows[name].accuracy - rows.masked.accuracy > options.most / 100)
      .map(
        (name) =>
          `masked is right on ${percent(rows.masked.accuracy)}, ${name} on ${percent(rows[name].accuracy)}`,
      );
    return {rows, reports, failed};
  }),
);
