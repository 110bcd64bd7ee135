// ONNX Runtime on the CPU (npm onnxruntime-node): inference of a bidirectional LSTM or GRU; GRU with
// linear_before_reset. The one-node models are written here, field by field, in protobuf's wire format. The output has
// ONNX' layout (time, direction, batch, units): the transposition to Keras' layout is not counted.
// Requests and answers as in serve.h: task=layer, task=version.
'use strict';
const path = require('path');
const readline = require('readline');
const modules = process.env.NODE_MODULES || path.join(process.cwd(), 'node_modules');
const ort = require(path.join(modules, 'onnxruntime-node'));

// --- protobuf ---------------------------------------------------------------------------------------------------

function varint(n) {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n & 127) | 128);
  return Buffer.from([...bytes, n]);
}
const whole = (field, n) => Buffer.concat([varint(field << 3), varint(n)]);
function part(field, content) {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

const FLOAT = 1;
function tensor(name, sizes, values) {
  const shape = sizes.map((n) => whole(1, n));
  return Buffer.concat([...shape, whole(2, FLOAT), part(8, name), part(9, Buffer.from(values.buffer))]);
}
function valueInfo(name, sizes) {
  const shape = Buffer.concat(sizes.map((n) => part(1, whole(1, n))));
  return Buffer.concat([part(1, name), part(2, part(1, Buffer.concat([whole(1, FLOAT), part(2, shape)])))]);
}
const wholeAttribute = (name, n) => Buffer.concat([part(1, name), whole(3, n), whole(20, 2)]);
const textAttribute = (name, text) => Buffer.concat([part(1, name), part(4, text), whole(20, 3)]);

// --- the layer --------------------------------------------------------------------------------------------------

function noise(n, scale) {
  return Float32Array.from({ length: n }, () => scale * (2 * Math.random() - 1));
}

function model({ cell, B, T, F, U, rs }) {
  const gates = cell === 'lstm' ? 4 : 3;
  const attributes = [wholeAttribute('hidden_size', U), textAttribute('direction', 'bidirectional')];
  if (cell === 'gru') attributes.push(wholeAttribute('linear_before_reset', 1));
  const node = Buffer.concat([
    ...['X', 'W', 'R', 'B'].map((name) => part(1, name)),
    ...(rs ? ['Y'] : ['', 'Y_h']).map((name) => part(2, name)),
    part(4, cell.toUpperCase()),
    ...attributes.map((attribute) => part(5, attribute)),
  ]);
  const graph = Buffer.concat([
    part(1, node),
    part(2, 'layer'),
    part(5, tensor('W', [2, gates * U, F], noise(2 * gates * U * F, 0.15))),
    part(5, tensor('R', [2, gates * U, U], noise(2 * gates * U * U, 0.15))),
    part(5, tensor('B', [2, 2 * gates * U], noise(4 * gates * U, 0.1))),
    part(11, valueInfo('X', [T, B, F])),
    part(12, rs ? valueInfo('Y', [T, 2, B, U]) : valueInfo('Y_h', [2, B, U])),
  ]);
  const opset = Buffer.concat([part(1, ''), whole(2, 14)]);
  return Buffer.concat([whole(1, 8), part(7, graph), part(8, opset)]);
}

function config(request) {
  const number = (key, otherwise) => parseInt(request[key] === undefined ? otherwise : request[key], 10);
  const c = { cell: request.cell || 'lstm', threads: number('threads', 1), train: number('train', 0) };
  return Object.assign(c, {
    B: number('B', 32), T: number('T', 100), F: number('F', 64), U: number('U', 128), rs: number('rs', 1),
  });
}

// --- measuring --------------------------------------------------------------------------------------------------

function cpuMilliseconds() {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1000;
}

async function sample(request, step) {
  const clock = (request.clock || 'cpu') === 'cpu' ? cpuMilliseconds : () => performance.now();
  const budget = parseFloat(request.ms || 40);
  const least = parseInt(request.min || 2, 10);
  await step();
  const times = [];
  for (const start = performance.now(); times.length < least || performance.now() - start < budget; ) {
    const before = clock();
    await step();
    times.push(clock() - before);
  }
  times.sort((a, b) => a - b);
  return `${times[times.length >> 1].toFixed(6)} ${times[0].toFixed(6)} ${times.length}`;
}

async function measureLayer(request) {
  const c = config(request);
  if (c.train || !['lstm', 'gru'].includes(c.cell)) throw new Error('only inference of LSTM and GRU');
  const session = await ort.InferenceSession.create(model(c), {
    intraOpNumThreads: c.threads, interOpNumThreads: 1, graphOptimizationLevel: 'all',
  });
  const x = new ort.Tensor('float32', noise(c.T * c.B * c.F, 1), [c.T, c.B, c.F]);
  const line = await sample(request, () => session.run({ X: x }));
  await session.release();
  return line;
}

async function answer(request) {
  if (request.task === 'version') return require(path.join(modules, 'onnxruntime-node', 'package.json')).version;
  return measureLayer(request);
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = Object.fromEntries(line.trim().split(/\s+/).map((word) => word.split('=')));
    try {
      console.log('ok', await answer(request));
    } catch (problem) {
      console.log('error', String(problem.message).replace(/\n/g, ' '));
    }
  }
})();
