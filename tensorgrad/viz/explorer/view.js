// The picture as elements: frames of open modules, boxes, lines; selection, folding, moving with the keys.

let tipTimer = 0;

function makeView(model, tree, colours) {
  const stage = byId('stage'), canvas = byId('canvas');
  const [framesAt, edgesAt, nodesAt, overAt] = ['frames', 'edges', 'nodes', 'over'].map(byId);
  const view = { open: firstSight(tree), layout: null, selected: -1, focus: -1, mode: 'kind', elements: new Map(), lineElements: new Map() };
  const camera = makeCamera(stage, byId('world'), () => view.layout, hideTip);
  const paintMinimap = makeMinimap(byId('minimap'), camera, () => view.layout);
  view.camera = camera;

  view.render = () => {
    const before = new Set(view.elements.keys());
    view.layout = layoutOf(model, tree, view.open);
    const { boxes, lines } = view.layout;
    for (const [id, box] of boxes) {
      const old = view.elements.get(id);
      if (old && old.open !== box.open) { old.element.remove(); view.elements.delete(id); }
      if (!view.elements.has(id)) {
        const element = box.open ? drawFrame(id, box) : drawBox(id, box);
        (box.open ? framesAt : nodesAt).append(element);
        view.elements.set(id, { element, open: box.open });
      }
      const { element } = view.elements.get(id);
      element.style.transform = `translate(${fix(box.x)}px, ${fix(box.y)}px)`;
      if (box.open) resizeFrame(element, box);
      before.delete(id);
    }
    for (const id of before) { view.elements.get(id).element.remove(); view.elements.delete(id); }
    // The order of the elements is the order for readers: frames from outside in, boxes from top to bottom.
    const order = [...boxes].sort(([, a], [, b]) => a.y - b.y || a.x - b.x).map(([id]) => view.elements.get(id));
    nodesAt.append(...order.filter((one) => !one.open).map((one) => one.element));
    framesAt.append(...[...boxes.keys()].filter((id) => boxes.get(id).open).map((id) => view.elements.get(id).element));
    drawLines(lines);
    view.recolour();
    if (!boxes.has(view.selected)) view.selected = -1;
    if (!boxes.has(view.focus)) view.focus = firstBox();
    view.elements.forEach(({ element }, id) => element.setAttribute('tabindex', id === view.focus ? '0' : '-1'));
    mark();
    document.body.dataset.boxes = String([...boxes.values()].filter((box) => !box.open).length);
    paintMinimap();
    view.changed?.();
  };

  function firstBox() {
    let best = -1;
    for (const [id, box] of view.layout.boxes) if (!box.open && (best < 0 || box.y < view.layout.boxes.get(best).y)) best = id;
    return best;
  }

  function drawBox(id, box) {
    const group = tree.isGroup(id), leaf = box.leaf && !group;
    const { w, h } = box;
    const element = svg('g', {
      class: `node ${group ? 'folded' : leaf ? 'leaf' : 'op'}`, role: 'treeitem', 'data-id': id, 'aria-label': spoken(id),
      'aria-level': tree.ancestors(id).length + 1, 'aria-expanded': group ? 'false' : null,
    });
    const r = leaf ? h / 2 : 9;
    if (group) element.append(svg('rect', { class: 'back', x: 5, y: 5, width: w - 4, height: h - 1, rx: r }));
    element.append(svg('rect', { class: 'box', width: w, height: h, rx: r }));
    const title = boxTitle(model, tree, id), detail = boxDetail(model, tree, id);
    if (leaf) {
      const cut = fitted(title, FONT, w - Math.min(measure(detail, SMALL), 90) - 32), at = measure(cut, FONT) + 20;
      element.append(svg('text', { class: 'title', x: 14, y: 18.5 }, cut));
      element.append(svg('text', { class: 'detail', x: at, y: 18.5 }, fitted(detail, SMALL, w - at - 10)));
    } else {
      const room = w - (group ? 44 : 24), tag = isResult(model, tree, id) ? TAG : 0;
      if (tag) element.append(svg('text', { class: 'tag', x: w - 11, y: 19 }, 'result'));
      element.append(svg('text', { class: 'title', x: group ? 30 : 13, y: group ? 22 : 19.5 }, fitted(title, FONT, room - tag)));
      element.append(svg('text', { class: 'detail', x: group ? 30 : 13, y: group ? 39 : 35.5 }, fitted(detail, SMALL, room + 4)));
      if (group) element.append(svg('path', { class: 'chevron', d: 'M13 22l4.5 4.5L13 31' }), svg('rect', { class: 'handle', width: 28, height: h }));
    }
    element.append(svg('rect', { class: 'ring', x: -3.5, y: -3.5, width: w + 7, height: h + 7, rx: r + 3.5 }));
    element.append(svg('g', { class: 'badge', transform: `translate(${w - 4} 2)` }));
    return element;
  }

  function drawFrame(id, box) {
    const title = groupTitle(tree, id);
    const element = svg('g', {
      class: `frame d${tree.group(id).depth % 2}`, role: 'treeitem', 'data-id': id, 'aria-expanded': 'true', 'aria-label': spoken(id),
      'aria-level': tree.ancestors(id).length + 1,
    });
    const cut = fitted(title, FONT, box.w - 60);
    element.append(
      svg('rect', { class: 'ground', rx: 13 }),
      svg('rect', { class: 'head', x: 6, y: 5, height: 26, rx: 8, width: 20 }),
      svg('path', { class: 'chevron', d: 'M14 15.5l4.5 4.5 4.5-4.5' }),
      svg('text', { class: 'title', x: 31, y: 22.5 }, cut),
      svg('text', { class: 'detail', x: 31 + measure(cut, FONT) + 9, y: 22.5 }, fitted(groupDetail(tree.group(id)), SMALL, Math.max(box.w - 60 - measure(cut, FONT), 0))),
      svg('rect', { class: 'handle', x: 4, y: 4, width: 26, height: 28 }),
      svg('rect', { class: 'ring', x: -3, y: -3, rx: 16 }),
    );
    return element;
  }

  function resizeFrame(element, { w, h }) {
    const set = (selector, values) => Object.entries(values).forEach(([name, value]) => element.querySelector(selector).setAttribute(name, fix(value)));
    set('.ground', { width: w, height: h });
    set('.ring', { width: w + 6, height: h + 6 });
    const texts = [...element.querySelectorAll('text')];
    set('.head', { width: Math.min(w - 12, measure(texts[0].textContent, FONT) + measure(texts[1].textContent, SMALL) + 44) });
  }

  function drawLines(lines) {
    edgesAt.replaceChildren();
    view.lineElements = new Map();
    for (const line of lines) {
      const bytes = Math.max(...[...line.vars].map((v) => model.vars.bytes[v]));
      const width = clamp(0.9 + Math.log2(1 + bytes / 64) * 0.16, 1, 3.6);
      const element = svg('path', { class: line.vars.size ? 'line' : 'line order', d: pathOf(line.points), 'stroke-width': fix(width), 'marker-end': line.ends ? 'url(#arrow)' : null });
      const wide = svg('path', { class: 'touch', d: pathOf(line.points) });
      wide.addEventListener('pointerenter', (event) => showTip(event, [...line.vars].slice(0, 6).map((v) => [model.nameOf(v), `${model.typeText(v)}, ${bytesText(model.vars.bytes[v])}`]), line.vars.size));
      wide.addEventListener('pointerleave', hideTip);
      edgesAt.append(element, ...(line.vars.size ? [wide] : []));
      view.lineElements.set(line, element);
    }
  }

  // ---- colour and marks

  view.recolour = () => {
    for (const [id, { element, open }] of view.elements) {
      if (open) continue;
      const { kind, fill, ink, state, sign } = colours.paint(view.mode, id);
      element.classList.remove(...[...element.classList].filter((name) => /^[ks]-/.test(name)));
      element.classList.add(state ? `s-${state}` : fill ? 'k-painted' : `k-${kind}`);
      element.style.setProperty('--fill', fill || '');
      element.style.setProperty('--ink-on', ink || '');
      element.querySelector('.sign')?.remove();
      if (sign && state !== 'none') element.append(pill('sign', sign, 12, 0));
    }
    colours.legend(view.mode, [...view.elements].filter(([, one]) => !one.open).map(([id]) => id));
    document.body.dataset.mode = view.mode;
  };

  /** Lines of the selected box stand out, and those that are too long to be drawn always are drawn now. */
  function mark() {
    overAt.querySelectorAll('.chosen').forEach((one) => one.remove());
    const near = new Set([view.selected]);
    for (const edge of view.layout.edges.values()) {
      if (edge.from !== view.selected && edge.to !== view.selected) continue;
      near.add(edge.from).add(edge.to);
      for (const [v, lines] of edge.vars) overAt.prepend(svg('path', { class: `chosen ${edge.from === view.selected ? 'out' : 'in'}`, d: view.edgePath(edge, v, lines) }));
    }
    for (const [id, { element }] of view.elements) {
      element.classList.toggle('selected', id === view.selected);
      element.classList.toggle('near', view.selected >= 0 && near.has(id) && id !== view.selected);
      element.setAttribute('aria-selected', String(id === view.selected));
    }
  }

  /** The whole way of a value between two boxes; straight where no line is drawn. */
  view.edgePath = (edge, v, lines = edge.vars.get(v)) => {
    if (lines.every((line) => line.points)) return lines.map((line) => pathOf(line.points)).join('');
    const [a, b] = [view.layout.boxes.get(edge.from), view.layout.boxes.get(edge.to)];
    return pathOf([[a.x + a.w / 2, a.y + a.h], [b.x + b.w / 2, b.y]]);
  };

  // ---- folding and selecting

  /** Open or close a group; its corner stays where it is on the screen. */
  view.toggle = (id, wanted = !view.open.has(id)) => {
    if (!tree.isGroup(id) || id === tree.root || wanted === view.open.has(id)) return;
    const before = view.layout.boxes.get(id);
    if (wanted) view.open.add(id); else view.open.delete(id);
    view.render();
    const after = view.layout.boxes.get(id);
    if (before && after) camera.pan((before.x + before.w / 2 - after.x - after.w / 2) * camera.at.k, (before.y - after.y) * camera.at.k);
    view.focusOn(id);
    say(`${groupTitle(tree, id)} ${wanted ? 'unfolded' : 'folded'}, ${document.body.dataset.boxes} boxes shown`);
  };

  /** Open all groups around a node. */
  view.reveal = (id) => {
    const hidden = tree.ancestors(id).filter((group) => !view.open.has(group));
    if (!hidden.length) return;
    hidden.forEach((group) => view.open.add(group));
    view.render();
  };

  view.select = (id, { centre = false, speak = true, focus = true, clicked = false } = {}) => {
    view.selected = id;
    if (id >= 0) {
      view.reveal(id);
      view.selected = id;
      if (focus) view.focusOn(id);
      if (speak) say(spoken(id));
    }
    mark();
    view.onSelect?.(id);
    // What was clicked stays under the pointer, which may click again.
    const show = () => { if (view.selected === id && view.layout.boxes.has(id)) camera.show(view.layout.boxes.get(id), centre); };
    if (id >= 0 && clicked) setTimeout(show, 450); else if (id >= 0) show();
  };

  view.focusOn = (id) => {
    view.elements.get(view.focus)?.element.setAttribute('tabindex', '-1');
    view.focus = id;
    const one = view.elements.get(id);
    if (!one) return;
    one.element.setAttribute('tabindex', '0');
    one.element.focus({ preventScroll: true });
  };

  view.foldAll = () => { view.open = new Set([tree.root]); view.render(); camera.fit(); };
  /** The beginning of the picture, or all of it if it can be read as a whole. */
  view.home = () => {
    const top = view.layout.boxes.get(firstBox());
    camera.begin({ x: top ? top.x + top.w / 2 : 0 });
  };
  view.unfoldLevel = () => {
    const folded = [...view.layout.boxes.keys()].filter((id) => tree.isGroup(id) && !view.open.has(id));
    const least = Math.min(...folded.map((id) => tree.group(id).depth));
    let shown = Number(document.body.dataset.boxes), opened = 0;
    for (const id of folded) {
      if (tree.group(id).depth !== least || shown + tree.group(id).children.length > MOST_UNFOLDED) continue;
      view.open.add(id);
      shown += tree.group(id).children.length - 1;
      opened += 1;
    }
    if (opened) { view.render(); view.home(); }
    say(folded.length ? (opened ? `${opened} unfolded, ${document.body.dataset.boxes} boxes shown` : 'Too many boxes to unfold all; unfold one by one') : 'Everything is unfolded');
  };

  /** The neighbour in a direction: along lines for up and down, in the same row for left and right. */
  view.neighbour = (id, direction) => {
    const { boxes, edges } = view.layout, here = boxes.get(id);
    if (!here) return -1;
    const [x, y] = [here.x + here.w / 2, here.y + Math.min(here.h, 46) / 2];
    const vertical = direction === 'up' || direction === 'down';
    let near = [];
    if (vertical && !here.open) {
      for (const edge of edges.values()) {
        if (direction === 'up' && edge.to === id) near.push(edge.from);
        if (direction === 'down' && edge.from === id) near.push(edge.to);
      }
    }
    // Along a line the main way goes from operation to operation, to a parameter only where nothing else is.
    let best = -1, least = Infinity;
    const along = near.length > 0;
    if (!along) near = [...boxes.keys()];
    for (const other of near) {
      if (other === id) continue;
      const box = boxes.get(other), dx = box.x + box.w / 2 - x, dy = box.y + Math.min(box.h, 46) / 2 - y;
      const ahead = { up: -dy, down: dy, left: -dx, right: dx }[direction], aside = vertical ? Math.abs(dx) : Math.abs(dy);
      if (!along && (ahead < 4 || aside > ahead * 2.5 + 8)) continue;
      const distance = along ? (box.leaf ? 1e6 : 0) + Math.abs(dx) + Math.abs(dy) : ahead + 3 * aside;
      if (distance < least) { least = distance; best = other; }
    }
    return best;
  };

  function spoken(id) {
    const where = tree.isGroup(id) ? '' : id < model.count && model.scope(id) ? `, in ${model.scope(id)}` : '';
    const kind = tree.isGroup(id) ? (tree.group(id).kind === 'module' ? 'module ' : 'group ') : id >= model.count ? `${model.role(model.leafVar(id))} ` : '';
    const result = isResult(model, tree, id) ? ', a result' : '';
    return `${kind}${boxTitle(model, tree, id)}, ${boxDetail(model, tree, id)}${where}${result}`;
  }
  view.spoken = spoken;

  // ---- pointer

  nodesAt.addEventListener('click', (event) => {
    const id = idAt(event);
    if (id < 0 || camera.dragged()) return;
    if (tree.isGroup(id) && (event.detail === 2 || event.target.closest('.handle') || view.selected === id)) view.toggle(id);
    else view.select(id, { clicked: true });
  });
  nodesAt.addEventListener('dblclick', (event) => { const id = idAt(event); if (id >= 0 && !tree.isGroup(id)) camera.show(view.layout.boxes.get(id), true); });
  framesAt.addEventListener('click', (event) => {
    const id = idAt(event);
    if (id < 0 || camera.dragged()) return;
    if (event.detail === 2 || event.target.closest('.handle')) view.toggle(id, false); else view.select(id, { clicked: true });
  });
  canvas.addEventListener('click', (event) => { if (event.target === canvas && !camera.dragged()) view.select(-1); });
  canvas.addEventListener('focusin', (event) => {
    const id = idAt(event);
    if (id >= 0 && id !== view.focus) { view.elements.get(view.focus)?.element.setAttribute('tabindex', '-1'); view.focus = id; event.target.setAttribute('tabindex', '0'); }
  });
  nodesAt.addEventListener('pointerover', (event) => {
    const id = idAt(event);
    if (id >= 0) showTip(event, tipOf(id));
  });
  nodesAt.addEventListener('pointerout', hideTip);
  stage.addEventListener('pointerdown', hideTip);

  function idAt(event) {
    const found = event.target.closest('[data-id]');
    return found ? Number(found.dataset.id) : -1;
  }
  function tipOf(id) {
    const rows = [[boxTitle(model, tree, id), boxDetail(model, tree, id)]];
    if (tree.isGroup(id)) rows.push(['', 'click for details, double click to unfold']);
    else if (id < model.count) {
      const line = model.line(id);
      if (model.scope(id)) rows.push(['in', model.scope(id)]);
      if (line) rows.push(['at', `${line[0].split(/[\\/]/).pop()}:${line[1]}`]);
      for (const v of model.results[id]) rows.push([`%${model.vars.index[v]}`, model.typeText(v)]);
    }
    return rows;
  }
  function showTip(event, rows, count = 0) {
    const tip = byId('tip'), box = stage.getBoundingClientRect();
    if (event.buttons) return;
    tip.replaceChildren(...rows.map(([name, text]) => el('div', {}, name ? el('b', {}, name) : null, ' ', text)));
    if (count > 6) tip.append(el('div', { class: 'muted' }, `and ${count - 6} more`));
    clearTimeout(tipTimer);
    tipTimer = setTimeout(() => { tip.hidden = false; place(); }, tip.hidden ? 320 : 0);
    const place = () => {
      const x = event.clientX - box.left + 14, y = event.clientY - box.top + 16;
      tip.style.left = `${Math.max(Math.min(x, box.width - tip.offsetWidth - 10), 4)}px`;
      tip.style.top = `${y + tip.offsetHeight > box.height - 6 ? y - tip.offsetHeight - 28 : y}px`;
    };
  }
  return view;
}

/** A short text on a rounded ground, about a point. */
function pill(look, text, x, y) {
  const w = Math.max(18, measure(text, SMALL) + 12);
  return svg('g', { class: look, transform: `translate(${x} ${y})` }, svg('rect', { x: fix(-w / 2), y: -9, width: fix(w), height: 18, rx: 9 }), svg('text', { y: 4 }, text));
}

function hideTip() {
  clearTimeout(tipTimer);
  byId('tip').hidden = true;
}
