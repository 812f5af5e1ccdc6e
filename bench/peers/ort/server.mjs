// ONNX Runtime behind a pipe: one JSON request a line on stdin, one JSON answer a line on stdout.
//   {"do":"load","path":P,"threads":T}            -> {"id":I}
//   {"do":"time","id":I,"warmup":W,"repeat":N}    -> {"milliseconds":[...]}   N runs on a fixed random input
//   {"do":"run","id":I,"input":P,"output":P,"index":K} -> {"dims":[...]}      raw little-endian float32 in and out, output K or the first
//   {"do":"unload","id":I}                        -> {}
// An error answers {"error":"..."}.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { readFileSync, writeFileSync } from 'node:fs';

// require() rather than import: it also looks in NODE_PATH, for packages installed elsewhere.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node');
const sessions = new Map();
let nextId = 1;

function floats(count) {
  const data = new Float32Array(count);
  let state = 12345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state / 4294967296;
  }
  return data;
}

async function load({ path, threads }) {
  const session = await InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Its threads spin while it runs, as always, but not on into the time when the other side is measured.
    extra: { session: { force_spinning_stop: '1' } },
  });
  const id = nextId++;
  const { name, shape } = session.inputMetadata[0];
  const feeds = { [name]: new Tensor('float32', floats(shape.reduce((a, b) => a * b, 1)), shape) };
  sessions.set(id, { session, name, shape, feeds });
  return { id };
}

async function time({ id, warmup, repeat }) {
  const { session, feeds } = sessions.get(id);
  for (let i = 0; i < warmup; i++) await session.run(feeds);
  const milliseconds = [];
  for (let i = 0; i < repeat; i++) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    milliseconds.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  return { milliseconds };
}

async function run({ id, input, output, index = 0 }) {
  const { session, name, shape } = sessions.get(id);
  const bytes = readFileSync(input);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const results = await session.run({ [name]: new Tensor('float32', data, shape) });
  const { data: numbers, dims } = results[session.outputNames[index]];
  writeFileSync(output, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  return { dims };
}

async function unload({ id }) {
  await sessions.get(id).session.release();
  sessions.delete(id);
  return {};
}

const verbs = { load, time, run, unload };
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = await verbs[request.do](request);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
