// Search: every word must occur in a node's op, label, shape, dtype, file or module.

function makeSearch(model, tree, view) {
  const field = byId('query');
  const found = byId('found');
  let texts = null;
  let results = [];
  let at = -1;
  let last = '';

  function textOf(node) {
    const parts = [];
    if (node < model.count) {
      const line = model.line(node);
      parts.push(model.op(node).name, model.scope(node), line ? `${line[0]}:${line[1]}` : '');
    } else parts.push(model.role(model.leafVar(node)));
    for (const v of model.varsOf(node)) {
      const sides = model.raw.shapes[model.vars.shape[v]];
      parts.push(
        model.vars.label[v] || '',
        `%${model.vars.index[v]}`,
        shapeWords(sides),
        sides.join('x'),
        `${sides}`,
        model.dtype(v),
      );
    }
    return parts.join('\n').toLowerCase();
  }

  function run() {
    const wanted = field.value.trim().toLowerCase();
    if (wanted === last) return;
    last = wanted;
    texts = texts || Array.from({ length: model.total }, (_, node) => textOf(node));
    const bracket = wanted.startsWith('(') ? [wanted] : wanted.split(/\s+/);
    results = wanted ? [...texts.keys()].filter((node) => bracket.every((word) => texts[node].includes(word))) : [];
    at = -1;
    mark();
    found.textContent = wanted
      ? results.length
        ? countText(results.length, 'match').replace('matchs', 'matches')
        : 'no match'
      : '';
  }

  /** Boxes that match, or hold a match, get a ring. */
  function mark() {
    const hits = new Set();
    for (const node of results) {
      hits.add(node);
      for (const group of tree.ancestors(node)) if (!view.open.has(group)) hits.add(group);
    }
    view.elements.forEach(({ element }, id) => element.classList.toggle('hit', hits.has(id)));
  }

  function go(step) {
    run();
    if (!results.length) {
      if (last) say('No match');
      return;
    }
    at = at < 0 ? (step > 0 ? 0 : results.length - 1) : (at + step + results.length) % results.length;
    view.select(results[at], { centre: true, focus: document.activeElement !== field });
    found.textContent = `${(at + 1).toLocaleString('en')} of ${results.length.toLocaleString('en')}`;
  }

  let waiting = 0;
  field.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(run, model.total > 20000 ? 250 : 60);
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    }
    if (event.key === 'Escape') {
      field.value = '';
      run();
      view.focusOn(view.focus);
    }
  });
  byId('search').addEventListener('submit', (event) => {
    event.preventDefault();
    go(1);
  });
  byId('next').addEventListener('click', (event) => {
    event.preventDefault();
    go(1);
  });
  byId('previous').addEventListener('click', () => go(-1));
  return { go, mark };
}
