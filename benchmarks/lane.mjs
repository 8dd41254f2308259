// The lane against llama-batched-bench on the large model, in turns; prints tokens/s and ratios for
// each number of sequences as JSON. Two baselines: the unified KV cache, which the lane uses, and
// the split one.
//
//   node lane.mjs LANE_BENCH LLAMA_BATCHED_BENCH MODEL.gguf [threads] [rounds]
import {execFileSync} from 'node:child_process';
import os from 'node:os';

const [laneBench, batchedBench, model, threads = String(os.availableParallelism()), rounds = '3'] =
    process.argv.slice(2);
const quiet = {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26};
const sequences = [1, 2, 4, 8, 16, 32];

function lane() {
  const out = execFileSync(laneBench, [model, threads, '--benchmark_format=json'], quiet);
  return Object.fromEntries(JSON.parse(out).benchmarks.map(
      (b) => [b.name.match(/lane\/(\d+)/)[1], b.tokens_per_s]));
}

function batched(unified) {
  const args = ['-m', model, '-c', '8192', '-npp', '64', '-ntg', '64', '-npl', sequences.join(','),
                '-t', threads, '--output-format', 'jsonl'];
  const out = execFileSync(batchedBench, unified ? [...args, '-kvu'] : args, quiet);
  const rows = out.split('\n').filter((line) => line.startsWith('{')).map((l) => JSON.parse(l));
  return Object.fromEntries(rows.map((row) => [row.pl, row.speed]));
}

const runs = {lane: [], unified: [], split: []};
for (let i = 0; i < Number(rounds); ++i) {
  runs.lane.push(lane());
  runs.unified.push(batched(true));
  runs.split.push(batched(false));
}
const best = (list, n) => Math.max(...list.map((run) => run[n]));
const rows = sequences.map((n) => {
  const [a, b, c] = ['lane', 'unified', 'split'].map((name) => best(runs[name], n));
  return {
    sequences: n, lane: Math.round(a), batched_bench_unified: Math.round(b),
    batched_bench_split: Math.round(c), ratio_unified: Number((a / b).toFixed(3)),
    ratio_split: Number((a / c).toFixed(3)),
  };
});
console.log(JSON.stringify({threads: Number(threads), rows}, null, 1));
