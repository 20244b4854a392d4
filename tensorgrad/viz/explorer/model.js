// The recorded graph as the page works with it. Nodes are numbered: equations first, then leaves (inputs,
// parameters, constants), then groups (see folding.js). Variables are numbered by their place in the tables.

/** Reads what data.py wrote. */
function readModel(raw) {
  const vars = raw.vars;
  const equations = raw.equations;
  const count = equations.op.length;
  const varCount = vars.index.length;
  const column = (name) => equations[name] || [];
  const producer = new Int32Array(varCount).fill(-1);
  const consumers = Array.from({ length: varCount }, () => []);
  equations.outputs.forEach((outs, e) =>
    outs.forEach((v) => {
      producer[v] = e;
    }),
  );
  equations.inputs.forEach((ins, e) => new Set(ins).forEach((v) => consumers[v].push(e)));
  const listed = new Set([...raw.inputs, ...raw.outputs, ...raw.writes.flatMap((w) => [w[0], w[1]])]);

  // A constant of one number is written into the operations that use it and is no node.
  const leaves = [];
  const nodeOf = new Int32Array(varCount).fill(-1);
  for (let v = 0; v < varCount; v += 1) {
    if (producer[v] >= 0) nodeOf[v] = producer[v];
    else if ((consumers[v].length || listed.has(v)) && !(v in raw.constants && !vars.tracked[v])) {
      nodeOf[v] = count + leaves.length;
      leaves.push(v);
    }
  }
  const outputs = new Set(raw.outputs);
  const writes = new Map();
  for (const [target, value, isGradient] of raw.writes) {
    const text = isGradient ? `gradient of ${nameOf(target)}` : `new value of ${nameOf(target)}`;
    for (const v of [target, value]) {
      if (v !== null) writes.set(v, [...(writes.get(v) || []), { target, value, text }]);
    }
  }

  function nameOf(v) {
    return vars.label[v] || raw.constants[v] || `%${vars.index[v]}`;
  }
  function shapeText(v) {
    if (vars.role[v] === 4 && !raw.dtypes[vars.dtype[v]]) return 'not kept';
    return shapeWords(raw.shapes[vars.shape[v]]);
  }
  return {
    raw,
    vars,
    count,
    varCount,
    producer,
    consumers,
    leaves,
    nodeOf,
    outputs,
    writes,
    nameOf,
    shapeText,
    total: count + leaves.length,
    inputs: equations.inputs,
    results: equations.outputs,
    op: (e) => raw.ops[equations.op[e]],
    scope: (e) => raw.scopes[equations.scope[e]],
    params: (e) => equations.params[e] || [],
    isBackward: (e) => Boolean(column('backward')[e]),
    isUntaped: (e) => Boolean(column('untaped')[e]),
    line: (e) => raw.lines[column('line')[e]] || null,
    ns: (e) => column('ns')[e] ?? null,
    flops: (e) => column('flops')[e] ?? null,
    saved: (e) => column('saved')[e] ?? null,
    leafVar: (node) => leaves[node - count],
    varsOf: (node) => (node < count ? equations.outputs[node] : [leaves[node - count]]),
    dtype: (v) => raw.dtypes[vars.dtype[v]],
    role: (v) => ['input', 'parameter', 'constant', 'result', 'unknown'][vars.role[v]],
    stats: (v) => readStats(raw.stats[v], raw.shapes),
    typeText: (v) => `${raw.dtypes[vars.dtype[v]]} ${shapeText(v)}`.trim(),
    bytesOf: (e) => equations.outputs[e].reduce((sum, v) => sum + vars.bytes[v], 0),
  };
}

/** What an op calls the input at a position; the last may be a list. */
function inputName(op, position) {
  const last = op.inputs.length - 1;
  if (last < 0) return `input ${position}`;
  return op.variadic && position >= last
    ? `${op.inputs[last]}[${position - last}]`
    : op.inputs[Math.min(position, last)];
}

function shapeWords(shape) {
  return shape.length === 0 ? 'scalar' : shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

/** A row of numbers by name; null stays null. */
function readStats(row, shapes) {
  if (!row) return null;
  const [norm, mean, std, low, high, zeros, nans, infs, shape, bars = '', values = null] = row;
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const sides = shapes[shape];
  return {
    norm,
    mean,
    std,
    low,
    high,
    zeros,
    nans,
    infs,
    shape: sides,
    values,
    bars: Array.from(bars, (letter) => digits.indexOf(letter)),
    size: sides.reduce((a, b) => a * b, 1),
  };
}

/** A backward pass as events, one for each edge, and what is known of each gradient. */
function readPass(model, index) {
  const given = model.raw.passes[index];
  const { shapes } = model.raw;
  const events = [];
  const arrivals = new Map();
  const seeds = new Map();
  const ns = new Map();
  for (const [v, row] of given.seeds) seeds.set(v, readStats(row, shapes));
  for (const [equation, contributions, time] of given.steps) {
    if (time !== null) ns.set(equation, (ns.get(equation) || 0) + time);
    for (const [position, target, row] of contributions) {
      if (!arrivals.has(target)) arrivals.set(target, []);
      arrivals.get(target).push(events.length);
      events.push({ equation, position, target, stats: readStats(row === 1 ? given.gradients[target] : row, shapes) });
    }
  }
  return {
    events,
    arrivals,
    seeds,
    ns,
    replaced: new Set(given.replaced),
    reached: (v) => String(v) in given.gradients || arrivals.has(v) || seeds.has(v),
    gradient: (v) => readStats(given.gradients[v], shapes),
  };
}
