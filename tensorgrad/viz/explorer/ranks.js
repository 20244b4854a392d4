// One level of the picture: boxes in rows, links downwards, after Sugiyama, Tagawa and Toda (1981). Rows by the
// longest path; order within a row by sweeps of barycentres; coordinates by least squares that keep the order.

const BOX_GAP = 22;
const ROW_GAP = 30;
const LANE = 9;
const TALL = 130;

/**
 * Places items. Each is {w, h, leaf, port}; port is 'in', 'out' or undefined. Items come in an order in which
 * links {from, to, fromX, toX, far, order} point forwards; fromX and toX are offsets from the middle of the item, and
 * a far link keeps its ends apart without being drawn. Returns {w, h} and for each item x (middle) and y (top),
 * for each link its points.
 */
function placeLevel(items, links) {
  const row = assignRows(items, links);
  const { cells, steps, lanes } = withLanes(items, links, row);
  const rows = orderRows(cells, steps);
  assignX(cells, rows, steps);
  return assignY(items, links, cells, rows, lanes);
}

function assignRows(items, links) {
  const n = items.length;
  const row = new Float64Array(n);
  const floating = new Uint8Array(n).fill(1);
  const into = lists(n);
  const out = lists(n);
  links.forEach((link) => {
    into[link.to].push(link);
    out[link.from].push(link);
  });
  let last = 1;
  for (let i = 0; i < n; i += 1) {
    if (items[i].port === 'in') {
      floating[i] = 0;
      continue;
    }
    row[i] = 1;
    for (const link of into[i]) {
      row[i] = Math.max(row[i], row[link.from] + 1);
      if (!floating[link.from] && !link.far) floating[i] = 0;
    }
    if (into[i].length === 0 && !items[i].leaf) floating[i] = 0;
    last = Math.max(last, row[i]);
  }
  // What depends on leaves alone, or on what is far away, moves down to where it is first used.
  for (let i = n - 1; i >= 0; i -= 1) {
    if (items[i].port === 'out') row[i] = last + 1;
    else if (floating[i] && out[i].length)
      row[i] = Math.max(row[i], Math.min(...out[i].map((link) => (items[link.to].port ? last + 1 : row[link.to]))) - 1);
  }
  // Beside an open frame a leaf would be far from what it is for; it gets a row of its own below.
  const tall = new Set(items.flatMap((item, i) => (item.h > TALL ? [row[i]] : [])));
  items.forEach((item, i) => {
    if (item.leaf && item.h <= TALL && out[i].length && tall.has(row[i])) row[i] += 0.5;
  });
  const used = [...new Set(row)].sort((a, b) => a - b);
  const dense = new Map(used.map((r, i) => [r, i]));
  return Int32Array.from(row, (r) => dense.get(r));
}

/** Items as cells, and a lane cell in each row that a link passes; links from one place share their lane. */
function withLanes(items, links, row) {
  const cells = items.map((item, i) => ({
    item: i,
    row: row[i],
    w: item.w,
    leaf: item.leaf,
    port: item.port,
    lane: false,
  }));
  const steps = new Map();
  const lanes = links.map(() => []);
  const shared = new Map();
  function step(from, to, fromX, toX, order) {
    const key = `${from}>${to}:${fromX}:${toX}`;
    const light = cells[from].leaf || cells[to].leaf;
    const weight = light ? 0.001 : cells[from].lane && cells[to].lane ? 6 : 4;
    if (!steps.has(key)) steps.set(key, { from, to, fromX, toX, weight, order });
  }
  links.forEach((link, i) => {
    if (link.far) return;
    let at = link.from;
    let x = link.fromX;
    for (let r = row[link.from] + 1; r < row[link.to]; r += 1) {
      const key = `${link.from}:${link.fromX}:${r}`;
      if (!shared.has(key)) {
        shared.set(key, cells.length);
        cells.push({ item: -1, row: r, w: LANE, leaf: false, lane: true, chain: `${link.from}:${link.fromX}` });
      }
      step(at, shared.get(key), x, 0, 0);
      [at, x] = [shared.get(key), 0];
      lanes[i].push(at);
    }
    step(at, link.to, x, link.toX, link.order);
  });
  return { cells, steps: [...steps.values()], lanes };
}

function orderRows(cells, steps) {
  const rows = lists(cells.reduce((most, cell) => Math.max(most, cell.row), -1) + 1);
  const up = lists(cells.length);
  const down = lists(cells.length);
  steps.forEach((s) => {
    up[s.to].push([s.from, s.fromX]);
    down[s.from].push([s.to, s.toX, s.order]);
  });
  cells.forEach((cell, i) => rows[cell.row].push(i));
  const place = new Float64Array(cells.length);
  const number = (list) =>
    list.forEach((id, i) => {
      place[id] = i;
    });
  // A wide item counts as more than one place, so that its ports tell sides apart.
  const anchor = ([id, x, order = 0]) => place[id] + x / (cells[id].w + 1) + Math.min(order, 40) * 0.01;
  rows.forEach(number);
  settle();
  let best = rows.map((list) => [...list]);
  let fewest = crossings();
  for (let sweep = 0; sweep < 12 && fewest > 0; sweep += 1) {
    const downwards = sweep % 2 === 0;
    for (let k = 0; k < rows.length; k += 1) {
      const list = rows[downwards ? k : rows.length - 1 - k];
      const near = downwards ? up : down;
      const wish = new Map(list.map((id) => [id, near[id].length ? mean(near[id].map(anchor)) : place[id]]));
      list.sort((a, b) => wish.get(a) - wish.get(b) || place[a] - place[b]);
      number(list);
    }
    const found = crossings();
    if (found < fewest) {
      fewest = found;
      best = rows.map((list) => [...list]);
    }
  }
  best.forEach(number);
  for (let round = 0; round < 4 && fewest > 0 && cells.length < 1500; round += 1) {
    if (!swaps(best)) break;
  }
  return best;

  /** From the last row up, so that inputs begin in the order of the arguments. */
  function settle() {
    for (let r = rows.length - 2; r >= 0; r -= 1) {
      const wish = new Map(rows[r].map((id) => [id, down[id].length ? mean(down[id].map(anchor)) : place[id]]));
      rows[r].sort((a, b) => wish.get(a) - wish.get(b) || place[a] - place[b]);
      number(rows[r]);
    }
  }

  function crossings() {
    let sum = 0;
    for (const list of rows) {
      const ends = [];
      for (const id of list) ends.push(...down[id].map(anchor).sort((a, b) => a - b));
      for (let i = 1; i < ends.length; i += 1) for (let j = 0; j < i; j += 1) if (ends[j] > ends[i]) sum += 1;
    }
    return sum;
  }

  function swaps(order) {
    let changed = false;
    for (const list of order) {
      for (let i = 0; i + 1 < list.length; i += 1) {
        const [a, b] = [list[i], list[i + 1]];
        if (between(a, b) > between(b, a)) {
          [list[i], list[i + 1]] = [b, a];
          place[a] = i + 1;
          place[b] = i;
          changed = true;
        }
      }
    }
    return changed;
  }

  /** How many crossings the links of two neighbours have when a stands before b. */
  function between(a, b) {
    let sum = 0;
    for (const near of [up, down]) {
      for (const one of near[a]) for (const other of near[b]) if (anchor(one) > anchor(other)) sum += 1;
    }
    return sum;
  }
}

function assignX(cells, rows, steps) {
  const up = lists(cells.length);
  const down = lists(cells.length);
  steps.forEach((s) => {
    up[s.to].push([s.from, s.fromX - s.toX, s.weight]);
    down[s.from].push([s.to, s.toX - s.fromX, s.weight]);
  });
  for (const list of rows) {
    let x = 0;
    list.forEach((id, i) => {
      if (i) x += gap(cells[list[i - 1]], cells[id]);
      cells[id].x = x;
    });
    list.forEach((id) => {
      cells[id].x -= x / 2;
    });
  }
  // A frame with one way in and one way out has them below each other, so that repeated blocks form a column.
  const ports = [rows[0] || [], rows[rows.length - 1] || []].map((list) => list.filter((id) => cells[id].port));
  const column = ports.every((list) => list.length === 1) ? ports.map(([id]) => id) : [];
  const chains = new Map();
  cells.forEach((cell) => {
    if (!cell.lane) return;
    if (!chains.has(cell.chain)) chains.set(cell.chain, []);
    chains.get(cell.chain).push(cell);
  });
  for (let sweep = 0; sweep < 24; sweep += 1) {
    // The lane of a long line is drawn to its own middle, which makes it straight.
    const middle = new Map([...chains].map(([chain, lane]) => [chain, mean(lane.map((cell) => cell.x))]));
    const downwards = sweep % 2 === 0;
    for (let k = 0; k < rows.length; k += 1) {
      const list = rows[downwards ? k : rows.length - 1 - k];
      const wishes = list.map((id) => {
        const near = sweep >= 18 ? [...up[id], ...down[id]] : downwards ? up[id] : down[id];
        let sum = 0;
        let weight = 0;
        if (cells[id].lane && sweep > 3) {
          weight = chains.get(cells[id].chain).length > 1 ? 24 : 0;
          sum = weight * middle.get(cells[id].chain);
        }
        for (const [other, shift, w] of near) {
          sum += w * (cells[other].x + shift);
          weight += w;
        }
        if (column.includes(id)) {
          const at = mean(column.map((port) => cells[port].x));
          sum += 12 * at;
          weight += 12;
        }
        // A light pull to the middle, or long programs would drift away to one side.
        if (weight > 1 && sweep < 18) weight *= 1.03;
        return weight ? [sum / weight, weight] : [cells[id].x, 0.01];
      });
      keepingOrder(cells, list, wishes);
    }
  }
}

/** The places nearest to the wishes, by weighted squares, at which nothing overlaps: pool adjacent violators. */
function keepingOrder(cells, list, wishes) {
  const pools = [];
  let offset = 0;
  const offsets = list.map((id, i) => {
    if (i) offset += gap(cells[list[i - 1]], cells[id]);
    return offset;
  });
  list.forEach((id, i) => {
    let pool = { at: wishes[i][0] - offsets[i], weight: wishes[i][1], first: i };
    while (pools.length && pools[pools.length - 1].at > pool.at) {
      const before = pools.pop();
      const weight = before.weight + pool.weight;
      pool = { at: (before.at * before.weight + pool.at * pool.weight) / weight, weight, first: before.first };
    }
    pools.push(pool);
  });
  pools.forEach((pool, p) => {
    const end = p + 1 < pools.length ? pools[p + 1].first : list.length;
    for (let i = pool.first; i < end; i += 1) cells[list[i]].x = pool.at + offsets[i];
  });
}

function gap(a, b) {
  return (a.w + b.w) / 2 + (a.lane && b.lane ? LANE : a.lane || b.lane ? 12 : BOX_GAP);
}

function assignY(items, links, cells, rows, lanes) {
  let left = Infinity;
  let right = -Infinity;
  let y = 0;
  for (const cell of cells) {
    left = Math.min(left, cell.x - cell.w / 2);
    right = Math.max(right, cell.x + cell.w / 2);
  }
  if (!cells.length) [left, right] = [0, 0];
  const top = [];
  const bottom = [];
  const sideways = new Float64Array(rows.length);
  links.forEach((link, i) => {
    if (link.far) return;
    const path = [link.from, ...lanes[i], link.to];
    for (let k = 1; k < path.length; k += 1) {
      const r = cells[path[k]].row;
      sideways[r] = Math.max(sideways[r], Math.abs(cells[path[k]].x - cells[path[k - 1]].x));
    }
  });
  rows.forEach((list, r) => {
    const port = list.some((id) => cells[id].item >= 0 && items[cells[id].item].port);
    if (r) y += (port || !top.length ? 16 : ROW_GAP) + Math.min(sideways[r] * 0.06, 60);
    top[r] = y;
    y += Math.max(0, ...list.map((id) => (cells[id].item >= 0 ? items[cells[id].item].h : 0)));
    bottom[r] = y;
  });
  const spots = items.map((item, i) => {
    const r = cells[i].row;
    return {
      x: cells[i].x - left,
      y: item.leaf
        ? bottom[r] - item.h - Math.min(bottom[r] - top[r] - item.h, 8) / 2
        : top[r] + (bottom[r] - top[r] - item.h) / 2,
    };
  });
  const points = links.map((link, i) => {
    if (link.far) return null;
    const [a, b] = [spots[link.from], spots[link.to]];
    const path = [[a.x + link.fromX, a.y + items[link.from].h]];
    const low = bottom[cells[link.from].row];
    const high = top[cells[link.to].row];
    if (low - path[0][1] > 1) path.push([path[0][0], low]);
    for (const lane of lanes[i]) {
      const x = cells[lane].x - left;
      path.push([x, top[cells[lane].row]]);
      if (bottom[cells[lane].row] > top[cells[lane].row]) path.push([x, bottom[cells[lane].row]]);
    }
    if (b.y - high > 1) path.push([b.x + link.toX, high]);
    path.push([b.x + link.toX, b.y]);
    return path;
  });
  return { w: right - left, h: y, spots, points };
}

function lists(n) {
  return Array.from({ length: n }, () => []);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
