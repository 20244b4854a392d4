// Boxes and frames as SVG elements.

/** Draws for one graph: box(id, box), frame(id, box), resize(frame, box), and spoken(id), its name for readers. */
function makeDrawing(model, tree) {
  return { box: drawBox, frame: drawFrame, resize: resizeFrame, spoken };

  function drawBox(id, box) {
    const group = tree.isGroup(id);
    const leaf = box.leaf && !group;
    const { w, h } = box;
    const element = svg('g', {
      class: `node ${group ? 'folded' : leaf ? 'leaf' : 'op'}`,
      role: 'treeitem',
      'data-id': id,
      'aria-label': spoken(id),
      'aria-level': tree.ancestors(id).length + 1,
      'aria-expanded': group ? 'false' : null,
    });
    const r = leaf ? h / 2 : 9;
    if (group) element.append(svg('rect', { class: 'back', x: 5, y: 5, width: w - 4, height: h - 1, rx: r }));
    element.append(svg('rect', { class: 'box', width: w, height: h, rx: r }));
    const title = boxTitle(model, tree, id);
    const detail = boxDetail(model, tree, id);
    if (leaf) {
      const cut = fitted(title, FONT, w - Math.min(measure(detail, SMALL), 90) - 32);
      const at = measure(cut, FONT) + 20;
      element.append(svg('text', { class: 'title', x: 14, y: 18.5 }, cut));
      element.append(svg('text', { class: 'detail', x: at, y: 18.5 }, fitted(detail, SMALL, w - at - 10)));
    } else {
      const room = w - (group ? 44 : 24);
      const tag = isResult(model, tree, id) ? TAG : 0;
      if (tag) element.append(svg('text', { class: 'tag', x: w - 11, y: 19 }, 'result'));
      element.append(
        svg('text', { class: 'title', x: group ? 30 : 13, y: group ? 22 : 19.5 }, fitted(title, FONT, room - tag)),
      );
      element.append(
        svg('text', { class: 'detail', x: group ? 30 : 13, y: group ? 39 : 35.5 }, fitted(detail, SMALL, room + 4)),
      );
      if (group)
        element.append(
          svg('path', { class: 'chevron', d: 'M13 22l4.5 4.5L13 31' }),
          svg('rect', { class: 'handle', width: 28, height: h }),
        );
    }
    element.append(svg('rect', { class: 'ring', x: -3.5, y: -3.5, width: w + 7, height: h + 7, rx: r + 3.5 }));
    element.append(svg('g', { class: 'badge', transform: `translate(${w - 4} 2)` }));
    return element;
  }

  function drawFrame(id, box) {
    const title = groupTitle(tree, id);
    const element = svg('g', {
      class: `frame d${tree.group(id).depth % 2}`,
      role: 'treeitem',
      'data-id': id,
      'aria-expanded': 'true',
      'aria-label': spoken(id),
      'aria-level': tree.ancestors(id).length + 1,
    });
    const cut = fitted(title, FONT, box.w - 60);
    element.append(
      svg('rect', { class: 'ground', rx: 13 }),
      svg('rect', { class: 'head', x: 6, y: 5, height: 26, rx: 8, width: 20 }),
      svg('path', { class: 'chevron', d: 'M14 15.5l4.5 4.5 4.5-4.5' }),
      svg('text', { class: 'title', x: 31, y: 22.5 }, cut),
      svg(
        'text',
        { class: 'detail', x: 31 + measure(cut, FONT) + 9, y: 22.5 },
        fitted(groupDetail(tree.group(id)), SMALL, Math.max(box.w - 60 - measure(cut, FONT), 0)),
      ),
      svg('rect', { class: 'handle', x: 4, y: 4, width: 26, height: 28 }),
      svg('rect', { class: 'ring', x: -3, y: -3, rx: 16 }),
    );
    return element;
  }

  function resizeFrame(element, { w, h }) {
    const set = (selector, values) =>
      Object.entries(values).forEach(([name, value]) => element.querySelector(selector).setAttribute(name, fix(value)));
    set('.ground', { width: w, height: h });
    set('.ring', { width: w + 6, height: h + 6 });
    const texts = [...element.querySelectorAll('text')];
    set('.head', {
      width: Math.min(w - 12, measure(texts[0].textContent, FONT) + measure(texts[1].textContent, SMALL) + 44),
    });
  }

  /** A box in words, for those who listen. */
  function spoken(id) {
    return `${kindInWords(id)}${boxTitle(model, tree, id)}, ${boxDetail(model, tree, id)}${placeInWords(id)}`;
  }
  function kindInWords(id) {
    if (tree.isGroup(id)) return tree.group(id).kind === 'module' ? 'module ' : 'group ';
    return id < model.count ? '' : `${model.role(model.leafVar(id))} `;
  }
  function placeInWords(id) {
    if (tree.isGroup(id) || id >= model.count) return '';
    return (model.scope(id) ? `, in ${model.scope(id)}` : '') + (isResult(model, tree, id) ? ', a result' : '');
  }
}

/** A short text on a rounded ground, about a point. */
function pill(look, text, x, y) {
  const w = Math.max(18, measure(text, SMALL) + 12);
  return svg(
    'g',
    { class: look, transform: `translate(${x} ${y})` },
    svg('rect', { x: fix(-w / 2), y: -9, width: fix(w), height: 18, rx: 9 }),
    svg('text', { y: 4 }, text),
  );
}
