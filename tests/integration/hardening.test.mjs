// The built program is hardened as cmake/Compiler.cmake asks for: what its ELF file says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lichen } from './server.mjs';

const skip = process.platform !== 'linux' ? 'no ELF file'
  : process.env.LICHEN_HARDENED === 'OFF' ? 'this build is not hardened' : false;

/// Of a 64-bit little-endian file: its type, segments, dynamic entries and dynamic symbols.
function readElf(path) {
  const file = readFileSync(path);
  assert.equal(file.toString('latin1', 0, 4), '\x7fELF');
  assert.equal(file[4], 2, '64 bits');
  const number = (at) => Number(file.readBigUInt64LE(at));
  const segments = [];
  for (let i = 0; i < file.readUInt16LE(56); ++i) {
    const at = number(32) + i * file.readUInt16LE(54);
    segments.push({ type: file.readUInt32LE(at), flags: file.readUInt32LE(at + 4),
                    offset: number(at + 8), address: number(at + 16), size: number(at + 32) });
  }
  const place = (address) => {
    const segment = segments.find((s) => s.type === 1 && address >= s.address &&
                                         address < s.address + s.size);
    return address - segment.address + segment.offset;
  };
  const dynamic = new Map();
  const table = segments.find((segment) => segment.type === 2);
  for (let at = table.offset; number(at) !== 0; at += 16) dynamic.set(number(at), number(at + 8));
  const names = place(dynamic.get(5));
  const strings = file.toString('latin1', names, names + dynamic.get(10)).split('\0');
  return { type: file.readUInt16LE(16), segments, dynamic, strings: new Set(strings) };
}

test('the program is hardened', { skip }, () => {
  const { type, segments, dynamic, strings } = readElf(lichen);
  const flags = dynamic.get(30) ?? 0;            // DT_FLAGS
  const flags1 = dynamic.get(0x6ffffffb) ?? 0;   // DT_FLAGS_1
  assert.equal(type, 3, 'ET_DYN: it is position-independent');
  assert.ok(flags1 & 0x08000000, 'DF_1_PIE');
  assert.ok(segments.some((segment) => segment.type === 0x6474e552), 'PT_GNU_RELRO');
  assert.ok((flags & 0x8) !== 0 || (flags1 & 0x1) !== 0, 'bound at the start: RELRO is full');
  const stack = segments.find((segment) => segment.type === 0x6474e551);
  assert.ok(stack && !(stack.flags & 1), 'the stack is not executable');
  for (const segment of segments.filter((one) => one.type === 1)) {
    assert.notEqual(segment.flags & 3, 3, 'nothing is writable and executable');
  }
  assert.ok(strings.has('__stack_chk_fail'), 'stack canaries');
  const fortified = [...strings].filter((name) => /^__\w+_chk$/.test(name));
  assert.ok(fortified.length > 0, 'fortified calls');
});
