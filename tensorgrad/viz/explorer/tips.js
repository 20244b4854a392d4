// What is shown beside the pointer.

let tipTimer = 0;

/** Rows of a name and a text, after a moment. */
function showTip(event, rows, count = 0) {
  const tip = byId('tip');
  const box = byId('stage').getBoundingClientRect();
  if (event.buttons) return;
  tip.replaceChildren(...rows.map(([name, text]) => el('div', {}, name ? el('b', {}, name) : null, ' ', text)));
  if (count > 6) tip.append(el('div', { class: 'muted' }, `and ${count - 6} more`));
  clearTimeout(tipTimer);
  tipTimer = setTimeout(
    () => {
      tip.hidden = false;
      place();
    },
    tip.hidden ? 320 : 0,
  );
  const place = () => {
    const x = event.clientX - box.left + 14;
    const y = event.clientY - box.top + 16;
    tip.style.left = `${Math.max(Math.min(x, box.width - tip.offsetWidth - 10), 4)}px`;
    tip.style.top = `${y + tip.offsetHeight > box.height - 6 ? y - tip.offsetHeight - 28 : y}px`;
  };
}

function hideTip() {
  clearTimeout(tipTimer);
  byId('tip').hidden = true;
}

function tipOf(model, tree, id) {
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
