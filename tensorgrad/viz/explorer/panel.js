// The side panel: all that is known about the selected node, or about the step that is being played.

function makePanel(model, tree, view) {
  const panel = byId('panel');

  function open(title, kind, tag, ...sections) {
    panel.replaceChildren(
      el(
        'header',
        {},
        el('div', {}, el('h2', {}, title), el('p', { class: 'muted' }, tag)),
        kind ? el('span', { class: `chip k-${kind}` }, KINDS[kind] || kind) : null,
        el(
          'button',
          { type: 'button', class: 'icon', 'aria-label': 'Close details', title: 'Close (Esc)', onclick: close },
          '×',
        ),
      ),
      ...sections.filter(Boolean),
    );
    const before = panel.hidden;
    panel.hidden = false;
    if (before) shown();
    panel.scrollTop = 0;
  }
  function close() {
    if (panel.hidden) return;
    panel.hidden = true;
    shown();
    app.view.focusOn(app.view.focus);
  }

  /** On a small screen the panel covers a part of the picture. */
  function shown() {
    document.body.dataset.panel = panel.hidden ? '' : 'open';
    view.camera.resized();
  }

  function show(id) {
    if (id < 0) {
      panel.hidden = true;
      shown();
      return;
    }
    if (tree.isGroup(id)) showGroup(id);
    else if (id < model.count) showEquation(id);
    else showLeaf(id);
  }

  function showEquation(e) {
    const op = model.op(e);
    const outs = model.results[e];
    const pass = app.pass;
    open(
      op.name,
      app.colours.kindOf(e),
      [
        model.scope(e) || 'no module',
        model.isBackward(e) ? 'backward' : '',
        model.isUntaped(e) ? 'not recorded for gradients' : '',
      ]
        .filter(Boolean)
        .join(' · '),
      formulaSection(e),
      sourceSection(e),
      section('Inputs', valueList(model.inputs[e], e, true)),
      outs.length ? section(outs.length > 1 ? 'Results' : 'Result', valueList(outs, e, false)) : null,
      model.params(e).length ? section('Parameters', facts(model.params(e))) : null,
      ...outs.flatMap((v) => measured(v, outs.length > 1)),
      costSection(e, pass),
    );
  }

  function showLeaf(id) {
    const v = model.leafVar(id);
    open(
      model.nameOf(v),
      app.colours.kindOf(id),
      `${model.role(v)} · ${model.typeText(v)}`,
      facts([
        ['variable', `%${model.vars.index[v]}`],
        ['bytes', bytesText(model.vars.bytes[v])],
        model.vars.tracked[v] ? ['gradients', 'flow to it'] : null,
      ]),
      section(`Used by`, consumerList(v)),
      writesOf(v),
      ...measured(v),
    );
  }

  function showGroup(id) {
    const group = tree.group(id);
    const nodes = tree.descendants(id);
    const equations = nodes.filter((node) => node < model.count);
    const counts = new Map();
    equations.forEach((e) => counts.set(model.op(e).name, (counts.get(model.op(e).name) || 0) + 1));
    const total = (read) => equations.reduce((sum, e) => sum + (read(e) || 0), 0);
    const parameters = nodes
      .filter((node) => node >= model.count && model.role(model.leafVar(node)) === 'parameter')
      .map(model.leafVar);
    const time = total(model.ns);
    const back = app.pass ? total((e) => app.pass.ns.get(e)) : 0;
    const flops = total(model.flops);
    const size = parameters.reduce(
      (sum, v) => sum + model.raw.shapes[model.vars.shape[v]].reduce((a, b) => a * b, 1),
      0,
    );
    const button = el(
      'button',
      {
        type: 'button',
        class: 'primary',
        onclick: () => {
          view.toggle(id);
          show(id);
        },
      },
      view.open.has(id) ? 'Fold' : 'Unfold',
    );
    open(
      groupTitle(tree, id),
      'group',
      [group.path || '', groupDetail(group)].filter(Boolean).join(' · '),
      el('p', {}, button),
      group.times
        ? el('p', { class: 'muted' }, `${group.times} repetitions of the same operations on the same shapes.`)
        : null,
      section(
        'In all',
        facts([
          equations.length ? ['operations', equations.length.toLocaleString('en')] : null,
          parameters.length
            ? ['parameters', `${size.toLocaleString('en')} in ${countText(parameters.length, 'array')}`]
            : null,
          ['bytes of results', bytesText(total(model.bytesOf))],
          total(model.saved) ? ['kept for backward', bytesText(total(model.saved))] : null,
          flops ? ['FLOPs', flopsText(flops)] : null,
          time ? ['forward time', timeText(time)] : null,
          back ? ['backward time', timeText(back)] : null,
        ]),
      ),
      counts.size
        ? section(
            'Operations',
            facts(
              [...counts]
                .sort((a, b) => b[1] - a[1])
                .slice(0, 14)
                .map(([name, n]) => [name, n.toLocaleString('en')]),
            ),
          )
        : null,
    );
  }

  function formulaSection(e) {
    const op = model.op(e);
    const call = `${model.results[e].map(model.nameOf).join(', ') || '·'} = ${op.name}(${model.inputs[e].slice(0, 8).map(model.nameOf).join(', ')}${model.inputs[e].length > 8 ? ', …' : ''})`;
    return section('Formula', prose(op.doc), el('pre', { class: 'code' }, call), derivatives(op));
  }

  function derivatives(op, only = null) {
    const names = Object.keys(op.formulas).filter((name) => (only === null || name === only) && op.formulas[name][0]);
    if (!names.length)
      return only === null && op.kind === 'constant'
        ? el('p', { class: 'muted' }, 'No gradient flows through it.')
        : null;
    const list = el('dl', { class: 'formulas' });
    for (const name of names) {
      const [text, helpers] = op.formulas[name];
      const left = op.formula === 'derivative' ? `∂y/∂${name}` : `gradient of ${name}`;
      list.append(
        el('dt', {}, left),
        el(
          'dd',
          {},
          el('code', {}, text),
          helpers ? el('details', {}, el('summary', {}, 'source'), el('pre', { class: 'code' }, helpers)) : null,
        ),
      );
    }
    return list;
  }

  function sourceSection(e) {
    const line = model.line(e);
    if (!line) return null;
    const [file, number, inside, text] = line;
    return section(
      'Source',
      el(
        'p',
        { class: 'place', title: file },
        `${file}:${number}`,
        inside ? el('span', { class: 'muted' }, ` in ${inside}`) : null,
      ),
      text ? el('pre', { class: 'code' }, text) : null,
    );
  }

  /** Values with buttons that lead to where they come from, or go. */
  function valueList(list, e, inputs) {
    const op = model.op(e);
    const rows = el('ul', { class: 'links' });
    list.slice(0, 40).forEach((v, i) => {
      const position = inputs ? inputName(op, i) : '';
      rows.append(el('li', {}, valueButton(v, inputs ? model.nodeOf[v] : -1, position)));
      if (!inputs)
        model.consumers[v]
          .slice(0, 12)
          .forEach((to) =>
            rows.append(el('li', { class: 'to' }, goButton(to, `→ ${model.op(to).name}`, model.scope(to)))),
          );
      const written = model.writes.get(v);
      if (written && !inputs) rows.append(el('li', { class: 'to muted' }, `becomes the ${written[0].text}`));
    });
    if (list.length > 40) rows.append(el('li', { class: 'muted' }, `and ${list.length - 40} more`));
    return rows;
  }
  function valueButton(v, to, position) {
    const name = model.nameOf(v);
    const number = `%${model.vars.index[v]}`;
    const parts = [
      position ? el('i', {}, position) : null,
      el('b', {}, name),
      name === number ? null : el('span', { class: 'muted' }, number),
      el('span', { class: 'type' }, model.typeText(v)),
    ];
    return to < 0
      ? el('span', { class: 'row' }, ...parts.filter(Boolean))
      : el(
          'button',
          { type: 'button', class: 'row', onclick: () => view.select(to, { centre: false }) },
          ...parts.filter(Boolean),
        );
  }
  function goButton(to, text, more) {
    return el(
      'button',
      { type: 'button', class: 'row', onclick: () => view.select(to) },
      el('b', {}, text),
      more ? el('span', { class: 'muted' }, more) : null,
    );
  }
  function consumerList(v) {
    const rows = el('ul', { class: 'links' });
    const every = model.consumers[v];
    if (!every.length) rows.append(el('li', { class: 'muted' }, 'nothing'));
    every.slice(0, 40).forEach((e) => rows.append(el('li', {}, goButton(e, `→ ${model.op(e).name}`, model.scope(e)))));
    if (every.length > 40) rows.append(el('li', { class: 'muted' }, `and ${every.length - 40} more`));
    return rows;
  }
  function writesOf(v) {
    const written = (model.writes.get(v) || []).filter((one) => one.target === v && one.value !== null);
    if (!written.length) return null;
    return section(
      'Written',
      el(
        'ul',
        { class: 'links' },
        ...written
          .slice(0, 20)
          .map((one) =>
            el(
              'li',
              {},
              model.producer[one.value] >= 0
                ? goButton(model.producer[one.value], `${one.text}: ${model.nameOf(one.value)}`)
                : one.text,
            ),
          ),
      ),
    );
  }

  /** Value and gradient of a variable. */
  function measured(v, named = false) {
    const suffix = named ? ` of ${model.nameOf(v)}` : '';
    const value = model.stats(v);
    const gradient = app.pass ? app.pass.gradient(v) : null;
    const out = [];
    if (value) out.push(section(`Value${suffix}`, statsBlock(value, `value${suffix}`)));
    if (gradient) out.push(section(`Gradient${suffix}`, statsBlock(gradient, `gradient${suffix}`)));
    else if (app.pass && model.vars.tracked[v])
      out.push(
        section(
          `Gradient${suffix}`,
          el(
            'p',
            { class: 'muted' },
            app.pass.reached(v) ? 'Reached; nothing was measured.' : 'The backward pass did not reach it.',
          ),
        ),
      );
    return out;
  }

  function costSection(e, pass) {
    const back = pass ? pass.ns.get(e) : undefined;
    return section(
      'Cost',
      facts([
        ['bytes of the result', bytesText(model.bytesOf(e))],
        model.saved(e) !== null ? ['kept for backward', bytesText(model.saved(e))] : null,
        model.flops(e) !== null ? ['FLOPs', flopsText(model.flops(e))] : null,
        model.ns(e) !== null ? ['forward time', timeText(model.ns(e))] : null,
        back !== undefined ? ['backward time', timeText(back)] : null,
      ]),
    );
  }

  function section(title, ...children) {
    return el('section', {}, el('h3', {}, title), ...children);
  }

  return { show, open, close, section, derivatives };
}
