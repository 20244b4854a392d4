// What colour a box has in each mode, and the legend that says so. Zero, NaN and infinite gradients differ by
// pattern and sign as well, so that nothing hangs on colour alone.

const KINDS = {
  input: 'input',
  parameter: 'parameter',
  constant: 'constant',
  elementwise: 'elementwise',
  linear: 'linear',
  bilinear: 'product',
  view: 'view',
  general: 'other operation',
  group: 'module or group',
};
const FLOW = [
  [47, 82, 164],
  [124, 166, 221],
  [221, 232, 224],
  [240, 168, 102],
  [189, 48, 44],
];
const COST = [
  [238, 235, 250],
  [190, 176, 236],
  [133, 109, 205],
  [79, 53, 152],
];
const STATES = { none: ['no gradient', '–'], zero: ['all zero', '0'], nan: ['NaN', 'NaN'], inf: ['infinite', '∞'] };

function makeColours(model, tree, currentPass) {
  const cache = new Map();
  const modes = [{ key: 'kind', name: 'Kind' }];
  const any = (read) => {
    for (let e = 0; e < model.count; e += 1) if (read(e)) return true;
    return false;
  };
  if (model.raw.passes.length) modes.push({ key: 'flow', name: 'Gradient flow' });
  if (any(model.ns)) modes.push({ key: 'time', name: 'Time' });
  modes.push({ key: 'memory', name: 'Memory' });
  if (any(model.flops)) modes.push({ key: 'flops', name: 'FLOPs' });

  /** A number for a node: its own, or of all nodes in a group. Gradients: geometric mean, and the worst state. */
  function valueOf(mode, id) {
    const key = `${mode}:${mode === 'flow' ? currentPass() : 0}`;
    if (!cache.has(key)) cache.set(key, new Map());
    const known = cache.get(key);
    if (!known.has(id)) known.set(id, mode === 'flow' ? flowOf(id) : costOf(mode, id));
    return known.get(id);
  }
  function costOf(mode, id) {
    const read = { time: model.ns, memory: model.bytesOf, flops: model.flops }[mode];
    let sum = 0;
    for (const node of nodesIn(id)) {
      if (node < model.count) sum += read(node) || 0;
      else if (mode === 'memory') sum += model.vars.bytes[model.leafVar(node)];
    }
    return sum;
  }
  function flowOf(id) {
    const pass = app.pass;
    let logs = 0;
    let n = 0;
    let zero = 0;
    const seen = { nan: false, inf: false };
    for (const node of nodesIn(id)) {
      for (const v of model.varsOf(node)) {
        const g = pass && pass.gradient(v);
        if (!g) continue;
        if (g.nans) seen.nan = true;
        if (g.infs) seen.inf = true;
        if (typeof g.norm === 'number' && g.norm > 0) {
          logs += Math.log10(g.norm);
          n += 1;
        } else if (g.norm === 0) zero += 1;
      }
    }
    const state = seen.nan ? 'nan' : seen.inf ? 'inf' : n ? 'some' : zero ? 'zero' : 'none';
    return { state, log: n ? logs / n : null };
  }
  function nodesIn(id) {
    return tree.isGroup(id) ? tree.descendants(id) : [id];
  }

  /** The range of a mode over all nodes; for gradients the median in the middle, at least three powers of ten each way. */
  function range(mode) {
    const key = `range:${mode}:${mode === 'flow' ? currentPass() : 0}`;
    if (!cache.has(key)) {
      let low = Infinity;
      let high = -Infinity;
      const every = [];
      for (let id = 0; id < model.total; id += 1) {
        const found = valueOf(mode, id);
        const value = mode === 'flow' ? found.log : found > 0 ? Math.log10(found) : null;
        if (value === null) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
        every.push(value);
      }
      if (low > high) [low, high] = [0, 0];
      const middle = every.sort((a, b) => a - b)[every.length >> 1] ?? 0;
      const reach = Math.max(3, high - middle, middle - low);
      cache.set(key, mode === 'flow' ? [middle - reach, middle + reach] : [Math.min(low, high - 1), high]);
    }
    return cache.get(key);
  }

  /** {kind}, or {fill, ink} and perhaps {state, sign}. */
  function paint(mode, id) {
    const kind = kindOf(id);
    if (mode === 'kind') return { kind };
    const [low, high] = range(mode);
    if (mode === 'flow') {
      const { state, log } = valueOf(mode, id);
      if (state !== 'some') return { kind, state, sign: STATES[state][1] };
      return { kind, ...ramp(FLOW, (log - low) / (high - low)) };
    }
    const value = valueOf(mode, id);
    if (!value) return { kind, state: 'none' };
    return { kind, ...ramp(COST, clamp((Math.log10(value) - low) / (high - low), 0, 1)) };
  }
  function kindOf(id) {
    if (tree.isGroup(id)) return 'group';
    if (id >= model.count) {
      const role = model.role(model.leafVar(id));
      return role === 'unknown' ? 'constant' : role === 'result' ? 'input' : role;
    }
    const { kind } = model.op(id);
    return kind === 'constant' || !(kind in KINDS) ? 'general' : kind;
  }

  function legend(mode, shownIds) {
    const box = byId('legend');
    box.replaceChildren();
    if (mode === 'kind') {
      const kinds = new Set([...shownIds].map(kindOf));
      for (const [kind, name] of Object.entries(KINDS)) {
        if (kinds.has(kind)) box.append(el('span', { class: 'key' }, el('i', { class: `swatch k-${kind}` }), name));
      }
      return;
    }
    const [low, high] = range(mode);
    const write = { flow: (x) => short(x, 2), time: timeText, memory: bytesText, flops: flopsText }[mode];
    const bar = el('i', { class: 'ramp' });
    const stops = mode === 'flow' ? FLOW : COST;
    bar.style.background = `linear-gradient(90deg, ${stops.map((c) => `rgb(${c})`).join(', ')})`;
    const round = (x) => (mode === 'flow' ? 10 ** x : Math.round(10 ** x));
    const name = { flow: 'Norm of the gradient', time: 'Forward time', memory: 'Bytes of the result', flops: 'FLOPs' }[
      mode
    ];
    box.append(
      el(
        'span',
        { class: 'key wide' },
        name,
        el('span', { class: 'scale' }, el('span', {}, write(round(low))), bar, el('span', {}, write(round(high)))),
      ),
    );
    if (mode === 'flow') {
      for (const [state, [text, sign]] of Object.entries(STATES)) {
        box.append(el('span', { class: 'key' }, el('i', { class: `swatch s-${state}` }, sign), text));
      }
    }
  }
  return { modes, paint, kindOf, legend, valueOf };
}

function ramp(stops, t) {
  const at = clamp(t, 0, 1) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  const f = at - i;
  const [r, g, b] = stops[i].map((from, c) => Math.round(from + (stops[i + 1][c] - from) * f));
  const light = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.19;
  return { fill: `rgb(${r}, ${g}, ${b})`, ink: light ? '#14181f' : '#ffffff' };
}

function linear(channel) {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}
