// The picture for a given set of open groups: levels are placed from the inside out, each open group becoming
// one box of the level around it, with ports where values enter and leave. No recursion: depth is the user's.

const FONT = '600 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const SMALL = '11.5px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const FRAME = { top: 36, side: 18, bottom: 16 };
const FAR_ROWS = 6;
const TAG = 46;
const STACK_GAP = 5;
const MOST_STACKED = 4;

/** {boxes: id -> {x, y, w, h, open}, lines: [...], edges: key -> {from, to, vars, lines}, w, h}. */
function layoutOf(model, tree, open) {
  const shown = representatives(model, tree, open);
  const { levels, edges } = linksByLevel(model, tree, shown);
  const groups = [...open].filter((id) => shown[id] === -2).sort((a, b) => tree.group(b).depth - tree.group(a).depth);
  const placed = new Map();
  for (const id of groups) placed.set(id, placeGroup(model, tree, id, levels.get(id), placed));
  return assemble(model, tree, groups.reverse(), placed, levels, edges);
}

/** For each node and group the box that stands for it; -2 for an open group, whose frame is drawn. */
function representatives(model, tree, open) {
  const shown = new Int32Array(model.total + tree.groups.length).fill(-1);
  const queue = [tree.root];
  for (let i = 0; i < queue.length; i += 1) {
    const id = queue[i];
    const { parent } = tree.group(id);
    const above = parent < 0 ? -2 : shown[parent];
    shown[id] = above === -2 ? (open.has(id) ? -2 : id) : above;
    for (const child of tree.group(id).children) if (tree.isGroup(child)) queue.push(child);
  }
  for (let id = 0; id < model.total; id += 1) {
    const above = shown[tree.parent[id]];
    shown[id] = above === -2 ? id : above;
  }
  return shown;
}

/** Each value on its way from a box to a box, cut where it crosses the frame of a group. */
function linksByLevel(model, tree, shown) {
  const levels = new Map();
  const edges = new Map();
  const mixed = Boolean(model.raw.equations.backward);
  const depth = (id) => tree.group(tree.parentOf(id)).depth;

  function line(group, from, to, v, hidden) {
    if (!levels.has(group)) levels.set(group, new Map());
    const level = levels.get(group);
    const key = `${from.id ?? 'in'}/${from.port ?? ''}>${to.id ?? 'out'}/${to.port ?? ''}`;
    if (!level.has(key)) level.set(key, { group, from, to, vars: new Set(), hidden });
    level.get(key).vars.add(v);
    level.get(key).hidden &&= hidden;
    return level.get(key);
  }

  for (let v = 0; v < model.varCount; v += 1) {
    const source = model.nodeOf[v];
    if (source < 0) continue;
    const from = shown[source];
    for (const e of model.consumers[v]) {
      const to = shown[e];
      if (from === to) continue;
      const key = `${from}>${to}`;
      if (!edges.has(key)) edges.set(key, { from, to, vars: new Map() });
      if (edges.get(key).vars.has(v)) continue;
      const hidden = mixed && model.isBackward(e) && !(source < model.count && model.isBackward(source));
      const ups = [];
      const downs = [];
      let a = { id: from };
      let b = { id: to };
      while (tree.parentOf(a.id) !== tree.parentOf(b.id)) {
        if (depth(a.id) >= depth(b.id)) {
          const group = tree.parentOf(a.id);
          ups.push(line(group, a, { port: v }, v, hidden));
          a = { id: group, port: v };
        } else {
          const group = tree.parentOf(b.id);
          downs.unshift(line(group, { port: v }, b, v, hidden));
          b = { id: group, port: v };
        }
      }
      edges.get(key).vars.set(v, [...ups, line(tree.parentOf(a.id), a, b, v, hidden), ...downs]);
    }
  }
  return { levels, edges };
}

function placeGroup(model, tree, id, level, placed) {
  const group = tree.group(id);
  const lines = level ? [...level.values()] : [];
  group.children.forEach((child, i) => {
    // The backward pass follows on what it starts from, although only the scripts know a value that links them.
    if (i && tree.isGroup(child) && tree.group(child).kind === 'backward')
      lines.push({ group: id, from: { id: group.children[i - 1] }, to: { id: child }, vars: new Set(), hidden: false });
  });
  const ins = new Set();
  const outs = new Set();
  for (const each of lines) {
    if (each.from.id === undefined) ins.add(each.from.port);
    if (each.to.id === undefined) outs.add(each.to.port);
  }
  const stacks = stackedLeaves(model, tree, group, lines);
  const keys = [...[...ins].map((v) => `in${v}`), ...stacks, ...[...outs].map((v) => `out${v}`)];
  const index = new Map(keys.flatMap((key, i) => (Array.isArray(key) ? key.map((id) => [id, i]) : [[key, i]])));
  const items = keys.map((key) => {
    if (typeof key === 'string') return { w: 6, h: 0, port: key.startsWith('in') ? 'in' : 'out', leaf: false };
    if (Array.isArray(key)) {
      const sizes = key.map((id) => boxSize(model, tree, id));
      return {
        w: Math.max(...sizes.map(({ w }) => w)),
        h: sizes.reduce((sum, { h }) => sum + h + STACK_GAP, -STACK_GAP),
        leaf: true,
      };
    }
    const inner = placed.get(key);
    return { ...(inner ? { w: inner.w, h: inner.h } : boxSize(model, tree, key)), leaf: isLeaf(model, tree, key) };
  });
  const offset = (end, which) =>
    end.id !== undefined && end.port !== undefined && placed.has(end.id)
      ? (placed.get(end.id)[which].get(end.port) ?? 0)
      : 0;
  const links = lines.map((each) => ({
    from: index.get(each.from.id ?? `in${each.from.port}`),
    to: index.get(each.to.id ?? `out${each.to.port}`),
    fromX: offset(each.from, 'outX'),
    toX: offset(each.to, 'inX'),
    far: each.hidden,
    order: argumentOf(model, tree, each),
  }));
  hideFarLeaves(items, links);
  const found = placeLevel(items, links);
  const frame = id === tree.root ? { top: 0, side: 0, bottom: 0 } : FRAME;
  const title = id === tree.root ? 0 : measure(groupTitle(tree, id), FONT) + measure(groupDetail(group), SMALL) + 70;
  const w = Math.max(found.w + 2 * frame.side, Math.min(title, 420));
  const shift = (w - found.w) / 2;
  const inX = new Map([...ins].map((v) => [v, found.spots[index.get(`in${v}`)].x + shift - w / 2]));
  const outX = new Map([...outs].map((v) => [v, found.spots[index.get(`out${v}`)].x + shift - w / 2]));
  return { w, h: found.h + frame.top + frame.bottom, shift, frame, keys, items, lines, links, found, inX, outX };
}

/** The children of a group, those leaves that serve one operation alone as lists: they stand in a pile. */
function stackedLeaves(model, tree, group, lines) {
  const target = new Map();
  for (const { from, to, hidden } of lines) {
    if (hidden || from.id === undefined || !isLeaf(model, tree, from.id) || tree.isGroup(from.id)) continue;
    target.set(
      from.id,
      target.has(from.id) || to.id === undefined || to.port !== undefined || tree.isGroup(to.id) ? -1 : to.id,
    );
  }
  const piles = new Map();
  const out = [];
  for (const id of group.children) {
    const to = target.get(id) ?? -1;
    if (to < 0 || model.role(model.leafVar(id)) === 'input') {
      out.push(id);
      continue;
    }
    if (!piles.has(to) || piles.get(to).length === MOST_STACKED) {
      piles.set(to, []);
      out.push(piles.get(to));
    }
    piles.get(to).push(id);
  }
  return out.map((key) => (Array.isArray(key) && key.length === 1 ? key[0] : key));
}

/** Which input of an operation a line leads to: inputs stand from left to right. */
function argumentOf(model, tree, line) {
  if (line.to.id === undefined || tree.isGroup(line.to.id)) return 0;
  return Math.min(40, ...[...line.vars].map((v) => model.inputs[line.to.id].indexOf(v)));
}

/** A parameter that is used again many rows further down: that line is shown when either end is chosen. */
function hideFarLeaves(items, links) {
  const row = assignRows(items, links);
  const nearest = new Map();
  links.forEach((link) => nearest.set(link.from, Math.min(nearest.get(link.from) ?? Infinity, row[link.to])));
  for (const link of links) {
    if (items[link.from].leaf && row[link.to] - row[link.from] > FAR_ROWS && row[link.to] > nearest.get(link.from))
      link.far = true;
  }
}

/** From the outside in: places on the whole page. */
function assemble(model, tree, groups, placed, levels, edges) {
  const boxes = new Map();
  const lines = [];
  const whole = placed.get(tree.root);
  boxes.set(tree.root, { x: 0, y: 0, w: whole.w, h: whole.h, open: true });
  for (const id of groups) {
    const at = boxes.get(id);
    const level = placed.get(id);
    const left = at.x + level.shift;
    const top = at.y + level.frame.top;
    level.keys.forEach((key, i) => {
      if (typeof key === 'string') return;
      const { w, h, leaf } = level.items[i],
        spot = level.found.spots[i];
      if (Array.isArray(key)) {
        let y = top + spot.y;
        for (const id of key) {
          const size = boxSize(model, tree, id);
          boxes.set(id, { x: left + spot.x - w / 2, y, w, h: size.h, leaf, open: false });
          y += size.h + STACK_GAP;
        }
        return;
      }
      boxes.set(key, { x: left + spot.x - w / 2, y: top + spot.y, w, h, leaf, open: placed.has(key) });
    });
    const arrivals = new Map();
    level.lines.forEach((line, i) => {
      const points = level.found.points[i];
      line.points = points && points.map(([x, y]) => [left + x, top + y]);
      if (!points) return;
      lines.push(line);
      // Lines of ports run on through the padding of the frame.
      if (line.from.id === undefined && level.frame.top) line.points.unshift([line.points[0][0], at.y]);
      if (line.to.id === undefined) line.points.push([line.points[line.points.length - 1][0], at.y + at.h]);
      line.ends = line.to.id !== undefined && !placed.has(line.to.id);
      if (line.ends) arrivals.set(line.to.id, [...(arrivals.get(line.to.id) || []), line]);
    });
    spread(arrivals, boxes);
  }
  boxes.delete(tree.root);
  return { boxes, lines, edges, w: whole.w, h: whole.h };
}

/** Lines that arrive at the same box end side by side, in the order in which they come. */
function spread(arrivals, boxes) {
  for (const [id, lines] of arrivals) {
    if (lines.length < 2) continue;
    const { w, x } = boxes.get(id);
    const endX = x + w / 2;
    const before = new Map(
      lines.map((line) => [
        line,
        ([...line.points].reverse().find((point) => Math.abs(point[0] - endX) > 0.01) || [endX])[0],
      ]),
    );
    lines.sort((a, b) => before.get(a) - before.get(b));
    const pitch = Math.min(16, (w - 28) / lines.length);
    // The main line, from operation to operation, stays straight if it can.
    const main = lines.reduce((best, line, i) => (distance(line) < distance(lines[best]) ? i : best), 0);
    const first = clamp(before.get(lines[main]) - main * pitch, x + 14, x + w - 14 - (lines.length - 1) * pitch);
    lines.forEach((line, i) => {
      const to = first + i * pitch;
      for (let k = line.points.length - 1; k > 0 && Math.abs(line.points[k][0] - endX) < 0.01; k -= 1)
        line.points[k][0] = to;
    });
    function distance(line) {
      return Math.abs(before.get(line) - endX) + (boxes.get(line.from.id)?.leaf ? 1000 : 0);
    }
  }
}

/** Points as a smooth path that is vertical at each of them. */
function pathOf(points) {
  let d = `M${fix(points[0][0])} ${fix(points[0][1])}`;
  for (let i = 1; i < points.length; i += 1) {
    const [[x, y], [u, v]] = [points[i - 1], points[i]];
    if (Math.abs(x - u) < 0.05) d += `V${fix(v)}`;
    else {
      const half = Math.max((v - y) / 2, 8);
      d += `C${fix(x)} ${fix(y + half)} ${fix(u)} ${fix(v - half)} ${fix(u)} ${fix(v)}`;
    }
  }
  return d;
}

const fix = (value) => String(Math.round(value * 10) / 10);

// ---- what a box shows, and how large that is

function isLeaf(model, tree, id) {
  return tree.isGroup(id) ? tree.group(id).kind === 'leaves' : id >= model.count;
}

function isResult(model, tree, id) {
  return !tree.isGroup(id) && id < model.count && model.results[id].some((v) => model.outputs.has(v));
}

function boxTitle(model, tree, id) {
  if (tree.isGroup(id)) return groupTitle(tree, id);
  return id < model.count ? model.op(id).name : model.nameOf(model.leafVar(id));
}

/** The second line of a box: what comes out of it. */
function boxDetail(model, tree, id) {
  if (tree.isGroup(id)) return groupDetail(tree.group(id));
  if (id >= model.count) return model.shapeText(model.leafVar(id));
  const outs = model.results[id];
  const label = outs
    .map((v) => model.vars.label[v])
    .filter(Boolean)
    .join(', ');
  const shape = outs.length
    ? outs.slice(0, 2).map(model.shapeText).join(', ') + (outs.length > 2 ? ', …' : '')
    : (model.params(id)[0] || ['', ''])[1];
  const numbers = model.inputs[id].filter((v) => model.nodeOf[v] < 0).map(model.nameOf);
  return [label, shape, numbers.length ? `with ${numbers.slice(0, 2).join(', ')}` : ''].filter(Boolean).join(' · ');
}

function groupTitle(tree, id) {
  const group = tree.group(id);
  return (
    group.name +
    (group.times ? ` × ${group.times.toLocaleString('en')}` : group.call > 1 ? ` · call ${group.call}` : '')
  );
}

function groupDetail(group) {
  if (group.kind === 'leaves') return countText(group.children.length, 'value');
  return countText(group.last - group.first + 1, 'operation');
}

function boxSize(model, tree, id) {
  const title = measure(boxTitle(model, tree, id), FONT);
  const detail = measure(boxDetail(model, tree, id), SMALL);
  if (tree.isGroup(id)) return { w: clamp(Math.max(title + 26, detail) + 36, 128, 280), h: 52 };
  if (id >= model.count) return { w: clamp(title + detail + 38, 64, 260), h: 28 };
  return { w: clamp(Math.max(title + (isResult(model, tree, id) ? TAG : 0), detail) + 32, 104, 260), h: 46 };
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
