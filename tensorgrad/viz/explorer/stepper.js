// Plays a recorded backward pass edge by edge: what each edge adds, the running sum where it arrives, and
// which gradients are finished. Position 0 is the seed; after position p the first p events have happened.

function makeStepper(model, tree, view) {
  const slider = byId('step-at');
  const text = byId('step-text');
  let at = 0;
  let timer = 0;
  let active = false;

  function load(index) {
    pause();
    app.pass = readPass(model, index);
    app.passIndex = index;
    at = 0;
    active = false;
    slider.max = String(app.pass.events.length);
    slider.value = '0';
    text.textContent = `${countText(app.pass.events.length, 'contribution')} recorded. Press play to follow the gradients.`;
    clear();
  }

  /** What a gradient is after `at` events: how many of its contributions are in, their sum as far as it is known. */
  function progress(v) {
    const { arrivals, seeds, events, replaced } = app.pass;
    const mine = arrivals.get(v) || [];
    const seed = seeds.get(v);
    const done = lowerBound(mine, at);
    const parts = [...(seed ? [seed] : []), ...mine.slice(0, done).map((i) => events[i].stats)];
    const finished = done === mine.length && (mine.length > 0 || seeds.has(v));
    return { done, of: mine.length, seeded: seeds.has(v), finished, sum: sumOf(parts), replaced: replaced.has(v) };
  }

  function go(position, { speak = true } = {}) {
    if (!app.pass) return;
    at = clamp(position, 0, app.pass.events.length);
    active = true;
    slider.value = String(at);
    explain(speak);
    draw();
    document.body.dataset.step = String(at);
  }

  function draw() {
    clear();
    if (!active || !app.pass) return;
    for (const [id, { element, open }] of view.elements) {
      if (open || tree.isGroup(id)) continue;
      const vars = model.varsOf(id).filter((v) => app.pass.arrivals.has(v) || app.pass.seeds.has(v));
      if (!vars.length) continue;
      const states = vars.map(progress);
      const finished = states.every((state) => state.finished);
      const started = states.some((state) => state.done || state.seeded);
      element.classList.add(finished ? 'finished' : started ? 'partial' : 'waiting');
      if (started) badge(element, finished ? '✓' : `${states[0].done}/${states[0].of}`);
    }
    const event = app.pass.events[at - 1];
    if (!event) return;
    const from = shownAs(event.equation);
    const to = shownAs(model.nodeOf[event.target]);
    view.elements.get(from)?.element.classList.add('giving');
    if (to >= 0) view.elements.get(to)?.element.classList.add('taking');
    if (byId('follow').checked && view.layout.boxes.has(to))
      follow(view.layout.boxes.get(from), view.layout.boxes.get(to));
    const edge = view.layout.edges.get(`${to}>${from}`);
    if (edge && edge.vars.has(event.target)) {
      const d = view.edgePath(edge, event.target);
      const path = svg('path', { class: 'active-edge', d });
      byId('over').append(path);
      bubble(path.getPointAtLength(path.getTotalLength() / 2), event, [
        view.layout.boxes.get(from),
        view.layout.boxes.get(to),
      ]);
      if (!still()) byId('over').append(svg('path', { class: 'active-flow', d }));
    }
  }

  /** Both ends in view if they fit, else the receiving one. */
  function follow(a, b) {
    const { w, h } = view.camera.room(),
      { k } = view.camera.at;
    const x = Math.min(a.x, b.x);
    const y = Math.min(a.y, b.y);
    const right = Math.max(a.x + a.w, b.x + b.w);
    const bottom = Math.max(a.y + a.h, b.y + b.h);
    view.camera.show(
      (right - x) * k < w - 60 && (bottom - y) * k < h - 120 ? { x, y, w: right - x, h: bottom - y, whole: true } : b,
    );
  }

  /** By the line, where it covers least: what it brings, and the sum so far. */
  function bubble(at, event, ends) {
    const state = progress(event.target);
    const lines = [`+ ${brief(event.stats)}`];
    if (state.of + state.seeded > 1) lines.push(`Σ ${brief(state.sum)}`);
    const w = Math.max(...lines.map((line) => measure(line, SMALL))) + 20;
    const h = 10 + 16 * lines.length;
    const right = Math.max(...ends.map((box) => box.x + box.w)) + 14;
    const left = Math.min(...ends.map((box) => box.x)) - 14 - w;
    const places = [at.x - w / 2, at.x + 12, at.x - 12 - w, right, left];
    const costs = places.map((x) => covers(x, at.y - h / 2, w, h) + unseen(x, w) * h * 4);
    const x = places[costs.indexOf(Math.min(...costs))];
    const g = svg(
      'g',
      { class: 'bubble', transform: `translate(${fix(x)} ${fix(at.y - h / 2)})` },
      svg('rect', { width: fix(w), height: h, rx: 7 }),
    );
    lines.forEach((line, i) => g.append(svg('text', { x: 10, y: 17 + 16 * i }, line)));
    byId('over').append(g);
  }

  /** The area of boxes that a rectangle would hide. */
  function covers(x, y, w, h) {
    let sum = 0;
    for (const box of view.layout.boxes.values()) {
      if (box.open) continue;
      sum +=
        Math.max(Math.min(x + w, box.x + box.w) - Math.max(x, box.x), 0) *
        Math.max(Math.min(y + h, box.y + box.h) - Math.max(y, box.y), 0);
    }
    return sum;
  }

  /** How much of a stretch is off the screen, to the left or to the right. */
  function unseen(x, w) {
    const { at: camera, room } = view.camera,
      left = -camera.x / camera.k,
      right = left + room().w / camera.k;
    return Math.min(Math.max(left - x, 0) + Math.max(x + w - right, 0), w);
  }

  function explain(speak) {
    const { events } = app.pass,
      event = events[at - 1];
    const step = `Step ${at.toLocaleString('en')} of ${events.length.toLocaleString('en')}`;
    if (!event) {
      const seeds = [...app.pass.seeds]
        .map(([v, stats]) => `${model.nameOf(v)} starts with ${brief(stats)}`)
        .join(', ');
      text.textContent = `${step}: ${seeds || 'the beginning'}`;
      if (speak) say(text.textContent);
      app.panel.open(
        'Backward pass',
        null,
        step,
        ...[...app.pass.seeds].map(([v, stats]) =>
          app.panel.section(
            `Seed of ${model.nameOf(v)}`,
            stats ? statsBlock(stats, 'seed') : el('p', { class: 'muted' }, 'not measured'),
          ),
        ),
      );
      return;
    }
    const op = model.op(event.equation);
    const name = model.nameOf(event.target);
    const state = progress(event.target);
    const input = inputName(op, event.position);
    const count = `${state.done} of ${state.of}`;
    text.textContent = `${step}: ${op.name} gives ${name} ${brief(event.stats)}${state.finished ? '; its gradient is finished' : `; ${count} are in`}`;
    if (speak) say(text.textContent);
    const total = app.pass.gradient(event.target);
    app.panel.open(
      `${op.name} → ${name}`,
      null,
      `${step} · through input ${input}`,
      el(
        'section',
        {},
        el('h3', {}, 'How'),
        prose(op.doc),
        app.panel.derivatives(op, input.replace(/\[.*/, '')),
        el(
          'ul',
          { class: 'links' },
          el(
            'li',
            {},
            el(
              'button',
              { type: 'button', class: 'row', onclick: () => view.select(event.equation) },
              el('b', {}, op.name),
              el('span', { class: 'muted' }, model.scope(event.equation)),
            ),
          ),
          model.nodeOf[event.target] >= 0
            ? el(
                'li',
                {},
                el(
                  'button',
                  { type: 'button', class: 'row', onclick: () => view.select(model.nodeOf[event.target]) },
                  el('b', {}, name),
                  el('span', { class: 'type' }, model.typeText(event.target)),
                ),
              )
            : null,
        ),
      ),
      ...model.results[event.equation].map((v) =>
        app.pass.gradient(v)
          ? app.panel.section(
              `Comes in: gradient of ${model.nameOf(v)}`,
              brieflyShown(app.pass.gradient(v), 'incoming gradient'),
            )
          : null,
      ),
      app.panel.section(
        'Adds',
        event.stats ? statsBlock(event.stats, 'contribution') : el('p', { class: 'muted' }, 'not measured'),
      ),
      runningSum(state, count, total),
    );
  }

  function runningSum(state, count, total) {
    const part = app.panel.section(`Sum so far · ${state.seeded ? 'seed and ' : ''}${count}`);
    part.id = 'running-sum';
    if (state.sum && state.sum.values) part.append(valueTable(state.sum.values, state.sum.shape, 'Running sum'));
    else if (state.sum)
      part.append(
        facts([
          ['mean', short(state.sum.mean)],
          state.of === 1 && state.sum.norm !== null ? ['norm', short(state.sum.norm)] : null,
        ]),
      );
    if (state.finished && total) {
      const [same, how] = agree(state.sum, total);
      part.append(
        el(
          'p',
          { class: same || state.replaced ? 'good' : 'bad', 'data-agrees': String(same) },
          state.replaced ? 'A hook replaced this gradient.' : same ? `✓ finished: ${how}` : `✗ ${how}`,
        ),
      );
    }
    return part;
  }

  function brieflyShown(stats, label) {
    return stats.values
      ? valueTable(stats.values, stats.shape, `Values of the ${label}`)
      : facts(
          [
            ['mean', short(stats.mean)],
            ['norm', short(stats.norm)],
          ],
          'grid',
        );
  }

  function badge(element, sign) {
    element.querySelector('.badge').replaceChildren(...pill('', sign, 0, 0).childNodes);
  }
  function clear() {
    byId('over')
      .querySelectorAll('.active-edge, .active-flow, .bubble')
      .forEach((one) => one.remove());
    view.elements.forEach(({ element }) => {
      element.classList.remove('finished', 'partial', 'waiting', 'giving', 'taking');
      element.querySelector('.badge')?.replaceChildren();
    });
  }
  /** The box that stands for a node now, or -1. */
  function shownAs(node) {
    if (node < 0) return -1;
    const folded = tree.ancestors(node).filter((group) => !view.open.has(group));
    return folded.length ? folded[folded.length - 1] : node;
  }

  function play() {
    if (!app.pass) return;
    if (timer) {
      pause();
      return;
    }
    if (at >= app.pass.events.length) go(0);
    const tick = () => {
      go(at + 1, { speak: false });
      if (at >= app.pass.events.length) {
        pause();
        say(text.textContent);
      } else timer = setTimeout(tick, 1100 / Number(byId('speed').value));
    };
    timer = setTimeout(tick, 120);
    look('Pause', 'M5.5 3.5v9M10.5 3.5v9');
  }
  function pause() {
    clearTimeout(timer);
    timer = 0;
    look('Play', 'M5.5 3.5L12 8l-6.5 4.5z');
  }
  function look(label, shape) {
    byId('step-play').setAttribute('aria-label', label);
    byId('step-play').querySelector('path').setAttribute('d', shape);
  }
  const manually = (position) => {
    pause();
    go(position);
  };
  const first = () => manually(0);
  const last = () => manually(app.pass.events.length);
  const next = () => manually(at + 1);
  const back = () => manually(at - 1);
  for (const [id, action] of [
    ['step-first', first],
    ['step-last', last],
    ['step-next', next],
    ['step-back', back],
    ['step-play', play],
  ])
    byId(id).addEventListener('click', action);
  slider.addEventListener('input', () => manually(Number(slider.value)));
  return { load, draw, play, first, last, next, back, position: () => at };
}

/** Contributions added up: their values where all are known; the mean of a sum is the sum of the means. */
function sumOf(parts) {
  if (!parts.length || parts.some((part) => !part)) return null;
  if (parts.length === 1) return parts[0];
  const known = parts.every((part) => part.values && part.values.length === parts[0].values?.length);
  const add = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a + b : 'NaN');
  const odd = parts.some((part) => part.nans || part.infs);
  return {
    shape: parts[0].shape,
    values: known ? parts[0].values.map((_, i) => parts.map((part) => part.values[i]).reduce(add)) : null,
    mean: odd ? null : parts.map((part) => part.mean).reduce(add),
    norm: null,
    size: parts[0].size,
  };
}

/** Whether a sum is the recorded gradient, within what rounding in the page allows. */
function agree(sum, total) {
  const near = (a, b, scale) =>
    a === b || typeof a !== 'number' || typeof b !== 'number' || Math.abs(a - b) <= 2e-3 * scale + 1e-30;
  if (sum && sum.values && total.values) {
    const scale = Math.max(
      ...total.values
        .concat(sum.values)
        .filter((x) => typeof x === 'number')
        .map(Math.abs),
      0,
    );
    return [sum.values.every((x, i) => near(x, total.values[i], scale)), 'the sum is the gradient'];
  }
  if (sum && typeof sum.mean === 'number' && typeof total.mean === 'number') {
    return [
      near(sum.mean, total.mean, Math.max(Math.abs(sum.mean), Math.abs(total.mean), total.std || 0)),
      'the mean of the sum is that of the gradient',
    ];
  }
  return [true, 'all contributions are in'];
}

/** A value in a few words: itself if it is small, else its norm and mean. */
function brief(stats) {
  if (!stats) return 'a gradient that was not measured';
  if (stats.values && stats.values.length <= 4) {
    const list = stats.values.map((x) => short(x, 3)).join(', ');
    return stats.values.length === 1 ? list : `[${list}]`;
  }
  if (stats.nans) return `${stats.nans.toLocaleString('en')} NaN`;
  if (stats.infs) return `${stats.infs.toLocaleString('en')} infinite`;
  return [stats.norm === null ? '' : `norm ${short(stats.norm, 3)}`, `mean ${short(stats.mean, 3)}`]
    .filter(Boolean)
    .join(', ');
}

/** How many numbers of a sorted list are below a bound. */
function lowerBound(sorted, bound) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
