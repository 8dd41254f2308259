// Writes a copy of a GGUF model whose F16 weights are random: a drafter that is never right, to see
// what one costs. `node random_weights.mjs IN.gguf OUT.gguf`. Norms and biases (F32) stay.
import { readFileSync, writeFileSync } from 'node:fs';

const kSizes = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const kString = 8, kArray = 9, kF16 = 1;

const [input, output] = process.argv.slice(2);
if (!output) throw new Error('usage: node random_weights.mjs IN.gguf OUT.gguf');
const file = readFileSync(input);
let at = 24;
const u32 = () => { at += 4; return file.readUInt32LE(at - 4); };
const u64 = () => { at += 8; return Number(file.readBigUInt64LE(at - 8)); };
const string = () => { const size = u64(); at += size; return file.toString('utf8', at - size, at); };

function value(type) {
  if (type === kString) return string();
  if (type === kArray) {
    const of = u32();
    for (let left = u64(); left > 0; --left) value(of);
    return undefined;
  }
  const begin = at;
  at += kSizes[type];
  return type === 4 ? file.readUInt32LE(begin) : undefined;
}

const tensors = Number(file.readBigUInt64LE(8));
let alignment = 32;
for (let keys = Number(file.readBigUInt64LE(16)); keys > 0; --keys) {
  const key = string();
  const found = value(u32());
  if (key === 'general.alignment') alignment = found;
}
const halves = [];
for (let i = 0; i < tensors; ++i) {
  string();
  let count = 1;
  for (let dimensions = u32(); dimensions > 0; --dimensions) count *= u64();
  const type = u32();
  const offset = u64();
  if (type === kF16) halves.push({ offset, count });
}
const data = Math.ceil(at / alignment) * alignment;
let state = 1;  // xorshift: the same weights each time
for (const { offset, count } of halves) {
  for (let i = 0; i < count; ++i) {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    // Sign, an exponent of 2^-8 to 2^-5, any mantissa: about the spread of trained weights.
    const half = ((state & 1) << 15) | ((7 + ((state >>> 1) & 3)) << 10) | ((state >>> 3) & 0x3ff);
    file.writeUInt16LE(half, data + offset + 2 * i);
  }
}
if (halves.length === 0) throw new Error(`${input} has no F16 weights`);
writeFileSync(output, file);
