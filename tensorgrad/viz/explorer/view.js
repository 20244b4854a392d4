// The picture as elements: frames of open modules, boxes, lines; selection, folding, moving with the keys.

function makeView(model, tree, colours) {
  const stage = byId('stage');
  const canvas = byId('canvas');
  const [framesAt, edgesAt, nodesAt, overAt] = ['frames', 'edges', 'nodes', 'over'].map(byId);
  const view = {
    open: firstSight(tree),
    layout: null,
    selected: -1,
    focus: -1,
    mode: 'kind',
    elements: new Map(),
    lineElements: new Map(),
  };
  const camera = makeCamera(stage, byId('world'), () => view.layout, hideTip);
  const paintMinimap = makeMinimap(byId('minimap'), camera, () => view.layout);
  const drawing = makeDrawing(model, tree);
  view.camera = camera;
  view.spoken = drawing.spoken;

  view.render = () => {
    const before = new Set(view.elements.keys());
    view.layout = layoutOf(model, tree, view.open);
    const { boxes, lines } = view.layout;
    for (const [id, box] of boxes) {
      const old = view.elements.get(id);
      if (old && old.open !== box.open) {
        old.element.remove();
        view.elements.delete(id);
      }
      if (!view.elements.has(id)) {
        const element = box.open ? drawing.frame(id, box) : drawing.box(id, box);
        (box.open ? framesAt : nodesAt).append(element);
        view.elements.set(id, { element, open: box.open });
      }
      const { element } = view.elements.get(id);
      element.style.transform = `translate(${fix(box.x)}px, ${fix(box.y)}px)`;
      if (box.open) drawing.resize(element, box);
      before.delete(id);
    }
    for (const id of before) {
      view.elements.get(id).element.remove();
      view.elements.delete(id);
    }
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
    for (const [id, box] of view.layout.boxes)
      if (!box.open && (best < 0 || box.y < view.layout.boxes.get(best).y)) best = id;
    return best;
  }

  function drawLines(lines) {
    edgesAt.replaceChildren();
    view.lineElements = new Map();
    for (const line of lines) {
      const bytes = Math.max(...[...line.vars].map((v) => model.vars.bytes[v]));
      const width = clamp(0.9 + Math.log2(1 + bytes / 64) * 0.16, 1, 3.6);
      const element = svg('path', {
        class: line.vars.size ? 'line' : 'line order',
        d: pathOf(line.points),
        'stroke-width': fix(width),
        'marker-end': line.ends ? 'url(#arrow)' : null,
      });
      const wide = svg('path', { class: 'touch', d: pathOf(line.points) });
      wide.addEventListener('pointerenter', (event) =>
        showTip(
          event,
          [...line.vars]
            .slice(0, 6)
            .map((v) => [model.nameOf(v), `${model.typeText(v)}, ${bytesText(model.vars.bytes[v])}`]),
          line.vars.size,
        ),
      );
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
    colours.legend(
      view.mode,
      [...view.elements].filter(([, one]) => !one.open).map(([id]) => id),
    );
    document.body.dataset.mode = view.mode;
  };

  /** Lines of the selected box stand out, and those that are too long to be drawn always are drawn now. */
  function mark() {
    overAt.querySelectorAll('.chosen').forEach((one) => one.remove());
    const near = new Set([view.selected]);
    for (const edge of view.layout.edges.values()) {
      if (edge.from !== view.selected && edge.to !== view.selected) continue;
      near.add(edge.from).add(edge.to);
      const paths = new Set([...edge.vars].map(([v, lines]) => view.edgePath(edge, v, lines)));
      const side = edge.from === view.selected ? 'out' : 'in';
      overAt.prepend(...[...paths].map((d) => svg('path', { class: `chosen ${side}`, d })));
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
    return pathOf([
      [a.x + a.w / 2, a.y + a.h],
      [b.x + b.w / 2, b.y],
    ]);
  };

  // ---- folding and selecting

  /** Open or close a group; its corner stays where it is on the screen. */
  view.toggle = (id, wanted = !view.open.has(id)) => {
    if (!tree.isGroup(id) || id === tree.root || wanted === view.open.has(id)) return;
    const before = view.layout.boxes.get(id);
    if (wanted) view.open.add(id);
    else view.open.delete(id);
    view.render();
    const after = view.layout.boxes.get(id);
    if (before && after)
      camera.pan((before.x + before.w / 2 - after.x - after.w / 2) * camera.at.k, (before.y - after.y) * camera.at.k);
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
      if (speak) say(drawing.spoken(id));
    }
    mark();
    view.onSelect?.(id);
    // What was clicked stays under the pointer, which may click again.
    const show = () => {
      if (view.selected === id && view.layout.boxes.has(id)) camera.show(view.layout.boxes.get(id), centre);
    };
    if (id >= 0 && clicked) setTimeout(show, 450);
    else if (id >= 0) show();
  };

  view.focusOn = (id) => {
    view.elements.get(view.focus)?.element.setAttribute('tabindex', '-1');
    view.focus = id;
    const one = view.elements.get(id);
    if (!one) return;
    one.element.setAttribute('tabindex', '0');
    one.element.focus({ preventScroll: true });
  };

  view.foldAll = () => {
    view.open = new Set([tree.root]);
    view.render();
    camera.fit();
  };
  /** The beginning of the picture, or all of it if it can be read as a whole. */
  view.home = () => {
    const top = view.layout.boxes.get(firstBox());
    camera.begin({ x: top ? top.x + top.w / 2 : 0 });
  };
  view.unfoldLevel = () => {
    const folded = [...view.layout.boxes.keys()].filter((id) => tree.isGroup(id) && !view.open.has(id));
    const least = Math.min(...folded.map((id) => tree.group(id).depth));
    let shown = Number(document.body.dataset.boxes);
    let opened = 0;
    for (const id of folded) {
      if (tree.group(id).depth !== least || shown + tree.group(id).children.length > MOST_UNFOLDED) continue;
      view.open.add(id);
      shown += tree.group(id).children.length - 1;
      opened += 1;
    }
    if (opened) {
      view.render();
      view.home();
    }
    say(
      folded.length
        ? opened
          ? `${opened} unfolded, ${document.body.dataset.boxes} boxes shown`
          : 'Too many boxes to unfold all; unfold one by one'
        : 'Everything is unfolded',
    );
  };

  /** The neighbour in a direction: along lines for up and down, in the same row for left and right. */
  view.neighbour = (id, direction) => {
    const { boxes, edges } = view.layout,
      here = boxes.get(id);
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
    let best = -1;
    let least = Infinity;
    const along = near.length > 0;
    if (!along) near = [...boxes.keys()];
    for (const other of near) {
      if (other === id) continue;
      const box = boxes.get(other);
      const dx = box.x + box.w / 2 - x;
      const dy = box.y + Math.min(box.h, 46) / 2 - y;
      const ahead = { up: -dy, down: dy, left: -dx, right: dx }[direction];
      const aside = vertical ? Math.abs(dx) : Math.abs(dy);
      if (!along && (ahead < 4 || aside > ahead * 2.5 + 8)) continue;
      const distance = along ? (box.leaf ? 1e6 : 0) + Math.abs(dx) + Math.abs(dy) : ahead + 3 * aside;
      if (distance < least) {
        least = distance;
        best = other;
      }
    }
    return best;
  };

  // ---- pointer

  nodesAt.addEventListener('click', (event) => {
    const id = idAt(event);
    if (id < 0 || camera.dragged()) return;
    if (tree.isGroup(id) && (event.detail === 2 || event.target.closest('.handle') || view.selected === id))
      view.toggle(id);
    else view.select(id, { clicked: true });
  });
  nodesAt.addEventListener('dblclick', (event) => {
    const id = idAt(event);
    if (id >= 0 && !tree.isGroup(id)) camera.show(view.layout.boxes.get(id), true);
  });
  framesAt.addEventListener('click', (event) => {
    const id = idAt(event);
    if (id < 0 || camera.dragged()) return;
    if (event.detail === 2 || event.target.closest('.handle')) view.toggle(id, false);
    else view.select(id, { clicked: true });
  });
  canvas.addEventListener('click', (event) => {
    if (event.target === canvas && !camera.dragged()) view.select(-1);
  });
  canvas.addEventListener('focusin', (event) => {
    const id = idAt(event);
    if (id >= 0 && id !== view.focus) {
      view.elements.get(view.focus)?.element.setAttribute('tabindex', '-1');
      view.focus = id;
      event.target.setAttribute('tabindex', '0');
    }
  });
  nodesAt.addEventListener('pointerover', (event) => {
    const id = idAt(event);
    if (id >= 0) showTip(event, tipOf(model, tree, id));
  });
  nodesAt.addEventListener('pointerout', hideTip);
  stage.addEventListener('pointerdown', hideTip);

  function idAt(event) {
    const found = event.target.closest('[data-id]');
    return found ? Number(found.dataset.id) : -1;
  }
  return view;
}
