// Which nodes are drawn as one box. The program is cut into nested intervals: by module, by repetition, and
// where there are too many in a row, by number. An interval of a straight-line program can always be drawn as
// one box: no path leaves it and comes back. So the picture has no cycle, whatever is folded.

const MOST_CHILDREN = 120;
const CHUNK = 100;
const FIRST_SIGHT = 56;
const MOST_SEEN = 150;
const MOST_UNFOLDED = 1200;
const MOST_DEPTH = 40;
const LONGEST_PERIOD = 6;

/** The tree of groups over the model's nodes. Group numbers begin at model.total; the first is the root. */
function foldingTree(model) {
  const { count, total } = model;
  const parent = new Int32Array(total).fill(-1);
  const groups = [];
  const group = (id) => groups[id - total];
  const isGroup = (id) => id >= total;

  function make(name, kind, above, depth) {
    groups.push({
      id: total + groups.length,
      name,
      kind,
      parent: above,
      depth,
      children: [],
      first: -1,
      last: -1,
      times: 0,
    });
    return groups[groups.length - 1];
  }
  const root = make('', 'root', -1, 0);
  readScopes();
  const hash = hashes();
  // What is appended to `groups` meanwhile is looked at in its turn.
  for (let i = 0; i < groups.length; i += 1) {
    findRepeats(groups[i]);
    cutInPieces(groups[i]);
  }
  setParents();
  placeLeaves();
  return {
    root: root.id,
    parent,
    groups,
    group,
    isGroup,
    parentOf: (id) => (isGroup(id) ? group(id).parent : parent[id]),
    descendants,
    ancestors,
  };

  function readScopes() {
    const paths = model.raw.scopes.map((scope) => scope.split('/').filter(Boolean).slice(0, MOST_DEPTH));
    const mixed = model.raw.equations.backward && model.raw.equations.backward.some((b) => !b);
    const calls = new Map();
    let open = [root];
    let names = [];
    for (let e = 0; e < count; e += 1) {
      let path = paths[model.raw.equations.scope[e]];
      if (mixed && model.isBackward(e)) path = ['\0backward', ...path];
      let same = 0;
      while (same < names.length && same < path.length && names[same] === path[same]) same += 1;
      open.length = same + 1;
      for (let d = same; d < path.length; d += 1) {
        const above = open[d];
        const name = path[d] === '\0backward' ? 'backward pass' : path[d];
        const made = make(name, path[d] === '\0backward' ? 'backward' : 'module', above.id, above.depth + 1);
        const key = path.slice(0, d + 1).join('/');
        made.call = (calls.get(key) || 0) + 1;
        made.path = key.replace('\0backward', 'backward pass');
        calls.set(key, made.call);
        above.children.push(made.id);
        open.push(made);
      }
      names = path;
      for (const each of open) {
        if (each.first < 0) each.first = e;
        each.last = e;
      }
      open[open.length - 1].children.push(e);
    }
    // A group of one operation is that operation. From the inside out; the children of a group come after it.
    for (let i = groups.length - 1; i >= 0; i -= 1) {
      const each = groups[i];
      each.children = each.children.map((id) =>
        isGroup(id) && group(id).children.length === 1 && !isGroup(group(id).children[0]) ? group(id).children[0] : id,
      );
    }
  }

  /** hash(first, last) of a stretch of operations: equal stretches compute the same on the same shapes. */
  function hashes() {
    const sum = new Int32Array(count + 1);
    const power = new Int32Array(count + 1);
    power[0] = 1;
    for (let e = 0; e < count; e += 1) {
      const out = model.results[e][0];
      const letter = model.raw.equations.op[e] * 8191 + (out === undefined ? 0 : model.vars.shape[out] * 31) + 7;
      sum[e + 1] = (Math.imul(sum[e], 1000003) + letter) | 0;
      power[e + 1] = Math.imul(power[e], 1000003);
    }
    return (first, last) => (sum[last + 1] - Math.imul(sum[first], power[last - first + 1])) | 0;
  }

  function span(id) {
    return isGroup(id) ? [group(id).first, group(id).last] : [id, id];
  }

  /** Three or more equal stretches of children in a row become one group "x N". */
  function findRepeats(above) {
    if (above.kind === 'repeat' || above.kind === 'pieces' || above.children.length < 3) return;
    const marks = above.children.map((id) => {
      const [first, last] = span(id);
      return `${last - first}:${hash(first, last)}:${isGroup(id)}`;
    });
    const out = [];
    let i = 0;
    while (i < marks.length) {
      let best = null;
      for (let period = 1; period <= LONGEST_PERIOD && i + 3 * period <= marks.length; period += 1) {
        let end = i + period;
        while (end < marks.length && marks[end] === marks[end - period]) end += 1;
        const times = Math.floor((end - i) / period);
        if (times >= 3 && (!best || times * period > best.times * best.period)) best = { period, times };
      }
      if (!best) {
        out.push(above.children[i]);
        i += 1;
        continue;
      }
      const covered = above.children.slice(i, i + best.times * best.period);
      const operations = span(covered[covered.length - 1])[1] - span(covered[0])[0] + 1;
      const worthIt = covered.length < marks.length && (covered.some(isGroup) || operations >= 12);
      if (worthIt) out.push(wrap(above, covered, best.period, best.times));
      else covered.forEach((id) => out.push(id));
      i += covered.length;
    }
    above.children = out;
  }

  function wrap(above, children, period, times) {
    const block = children.slice(0, period);
    const made = make(blockName(block), 'repeat', above.id, above.depth + 1);
    made.times = times;
    [made.first, made.last] = [span(children[0])[0], span(children[children.length - 1])[1]];
    if (period === 1) made.children = children;
    else {
      for (let k = 0; k < times; k += 1) {
        const each = make(`${k + 1} of ${times}`, 'pieces', made.id, made.depth + 1);
        each.children = children.slice(k * period, (k + 1) * period);
        [each.first, each.last] = [span(each.children[0])[0], span(each.children[period - 1])[1]];
        made.children.push(each.id);
      }
    }
    return made.id;
  }

  function blockName(block) {
    const names = block.map((id) => (isGroup(id) ? group(id).name : model.op(id).name));
    const shown = names.slice(0, 3).map((name) => name.replace(/[._]?\d+$/, '') || 'block');
    return shown.join(' + ') + (names.length > 3 ? ' + …' : '');
  }

  function cutInPieces(above) {
    while (above.children.length > MOST_CHILDREN) {
      const pieces = [];
      for (let i = 0; i < above.children.length; i += CHUNK) {
        const children = above.children.slice(i, i + CHUNK);
        const [first, last] = [span(children[0])[0], span(children[children.length - 1])[1]];
        const made = make(
          `operations ${(first + 1).toLocaleString('en')} – ${(last + 1).toLocaleString('en')}`,
          'pieces',
          above.id,
          above.depth + 1,
        );
        Object.assign(made, { children, first, last });
        pieces.push(made.id);
      }
      above.children = pieces;
    }
  }

  /** From the root down: parents and depths as they are now; groups that were left out are marked. */
  function setParents() {
    groups.forEach((each) => {
      each.parent = -1;
      each.depth = -1;
    });
    root.depth = 0;
    const queue = [root];
    for (let i = 0; i < queue.length; i += 1) {
      for (const id of queue[i].children) {
        if (isGroup(id)) {
          Object.assign(group(id), { parent: queue[i].id, depth: queue[i].depth + 1 });
          queue.push(group(id));
        } else parent[id] = queue[i].id;
      }
    }
  }

  /** A leaf stands in the innermost group that holds all its consumers, those of the forward pass if there are any. */
  function placeLeaves() {
    const arrived = new Map();
    model.leaves.forEach((v, i) => {
      let at = -1;
      const forward = model.consumers[v].filter((e) => !model.isBackward(e));
      for (const e of forward.length ? forward : model.consumers[v]) at = at < 0 ? parent[e] : common(at, parent[e]);
      if (at < 0) at = root.id;
      parent[count + i] = at;
      if (!arrived.has(at)) arrived.set(at, []);
      arrived.get(at).push(count + i);
    });
    for (const [at, ids] of arrived) {
      let layer = ids;
      while (layer.length > MOST_CHILDREN) {
        const bundles = [];
        for (let i = 0; i < layer.length; i += CHUNK) {
          const made = make(
            `values ${i + 1} – ${Math.min(i + CHUNK, layer.length)}`,
            'leaves',
            at,
            group(at).depth + 1,
          );
          made.children = layer.slice(i, i + CHUNK);
          made.children.forEach((id) => {
            if (isGroup(id)) group(id).parent = made.id;
            else parent[id] = made.id;
          });
          bundles.push(made.id);
        }
        layer = bundles;
      }
      group(at).children = [...layer, ...group(at).children];
    }
    const queue = [root];
    for (let i = 0; i < queue.length; i += 1) {
      for (const id of queue[i].children) {
        if (isGroup(id)) {
          group(id).depth = queue[i].depth + 1;
          queue.push(group(id));
        }
      }
    }
  }

  function common(a, b) {
    while (a !== b) {
      if (group(a).depth >= group(b).depth) a = group(a).parent;
      else b = group(b).parent;
    }
    return a;
  }

  /** All equations and leaves in a group. */
  function descendants(id) {
    const found = [];
    const stack = [id];
    while (stack.length) {
      const at = stack.pop();
      if (isGroup(at)) stack.push(...group(at).children);
      else found.push(at);
    }
    return found;
  }

  /** The groups around a node, from the innermost out, without the root. */
  function ancestors(id) {
    const found = [];
    for (let at = isGroup(id) ? group(id).parent : parent[id]; at >= 0 && at !== root.id; at = group(at).parent)
      found.push(at);
    return found;
  }
}

/** Which groups are open at first: level by level while the picture stays small enough to be read. */
function firstSight(tree) {
  const open = new Set([tree.root]);
  let shown = tree.group(tree.root).children.length;
  let level = tree.group(tree.root).children.filter(tree.isGroup);
  while (level.length) {
    // Groups of one size open together or not at all, so that equal blocks look equal.
    const sizes = new Map();
    for (const id of level) {
      const { kind, first, last, children } = tree.group(id);
      if (kind === 'leaves' || (kind === 'repeat' && last - first > 40 && shown > 8)) continue;
      sizes.set(children.length, [...(sizes.get(children.length) || []), id]);
    }
    const next = [];
    for (const [size, ids] of [...sizes].sort(([a], [b]) => a - b)) {
      const gain = ids.length * (size - 1);
      if (shown + gain > (shown <= 8 ? MOST_SEEN : FIRST_SIGHT)) break;
      shown += gain;
      for (const id of ids) {
        open.add(id);
        next.push(...tree.group(id).children.filter(tree.isGroup));
      }
    }
    level = next;
  }
  return open;
}
