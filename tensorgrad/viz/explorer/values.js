// Values as tables whose cells are shaded by size, histograms, and rows of statistics.

const MOST_COLUMNS = 16;
const LIST_COLUMNS = 4;
const WORTH_BARS = 8;

/** A small array: one number, or a table of its last two axes, one below the other for more. */
function valueTable(values, shape, label) {
  if (values.length === 0) return el('p', { class: 'muted' }, 'no elements');
  if (shape.length === 0 || values.length === 1) return el('p', { class: 'number' }, short(values[0], 6));
  const columns = shape[shape.length - 1];
  const rows = values.length / columns;
  const perSlice = shape.length > 1 ? shape[shape.length - 2] : 1;
  const wide = shape.length > 1 ? MOST_COLUMNS : LIST_COLUMNS;
  const numbers = values.filter((x) => typeof x === 'number');
  const most = Math.max(...numbers.map(Math.abs), 0);
  const body = el('tbody');
  for (let r = 0; r < rows; r += 1) {
    if (r && r % perSlice === 0)
      body.append(el('tr', { class: 'slice' }, el('td', { colspan: Math.min(columns, wide) })));
    for (let start = 0; start < columns; start += wide) {
      const row = el('tr');
      for (let c = start; c < Math.min(start + wide, columns); c += 1)
        row.append(valueCell(values[r * columns + c], most));
      body.append(row);
    }
  }
  return el(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
    el('table', { class: 'values' }, body),
  );
}

function valueCell(value, most) {
  const cell = el('td', {}, short(value, 3));
  if (typeof value === 'number' && most > 0) {
    const share = Math.round((Math.abs(value) / most) * 70);
    cell.style.background = `color-mix(in srgb, var(${value < 0 ? '--minus' : '--plus'}) ${share}%, transparent)`;
  } else if (typeof value !== 'number') cell.className = 'odd';
  return cell;
}

function histogram(stats, label) {
  const { bars, low, high } = stats;
  const most = Math.max(...bars);
  const width = 300;
  const height = 58;
  const w = width / bars.length;
  const picture = svg('svg', {
    class: 'histogram',
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `Histogram of the ${label}, from ${short(low)} to ${short(high)}`,
  });
  bars.forEach((bar, i) => {
    const h = most ? (bar / most) * (height - 4) : 0;
    picture.append(
      svg('rect', {
        x: fix(i * w + 0.5),
        y: fix(height - h),
        width: fix(Math.max(w - 1, 0.5)),
        height: fix(h),
        rx: 1.2,
      }),
    );
  });
  if (typeof low === 'number' && typeof high === 'number' && low < 0 && high > 0) {
    const x = fix((-low / (high - low)) * width);
    picture.append(svg('path', { class: 'zero', d: `M${x} 0V${height}` }));
  }
  return el('figure', {}, picture, el('figcaption', {}, el('span', {}, short(low, 3)), el('span', {}, short(high, 3))));
}

/** Values, histogram and numbers of one array; what was not recorded is left out. */
function statsBlock(stats, label) {
  const block = el('div', { class: 'stats' });
  if (stats.values && stats.values.length)
    block.append(valueTable(stats.values, stats.shape, `Values of the ${label}`));
  if (stats.size > 1) {
    if (stats.bars.length > 1 && stats.size > WORTH_BARS && stats.low !== stats.high)
      block.append(histogram(stats, label));
    const share = (n) => `${n.toLocaleString('en')} (${short((100 * n) / stats.size, 3)} %)`;
    block.append(
      facts(
        [
          ['mean', short(stats.mean)],
          ['std', short(stats.std)],
          ['min', short(stats.low)],
          ['max', short(stats.high)],
          ['norm', short(stats.norm)],
          ['zeros', stats.zeros ? share(stats.zeros) : '0'],
          stats.nans ? ['NaN', share(stats.nans), 'bad'] : null,
          stats.infs ? ['infinite', share(stats.infs), 'bad'] : null,
        ],
        'grid',
      ),
    );
  } else if (!stats.values)
    block.append(el('p', { class: 'number' }, short(stats.nans ? 'NaN' : stats.infs ? '∞' : stats.mean, 6)));
  return block;
}

/** Pairs as a list of names and values. */
function facts(pairs, look = '') {
  const list = el('dl', { class: `facts ${look}` });
  for (const pair of pairs) {
    if (pair) list.append(el('div', { class: pair[2] || null }, el('dt', {}, pair[0]), el('dd', {}, pair[1])));
  }
  return list;
}
