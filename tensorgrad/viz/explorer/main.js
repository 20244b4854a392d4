// Puts the page together, and the keys.

const app = { pass: null, passIndex: 0, view: null, panel: null, colours: null };

function start() {
  const model = readModel(JSON.parse(byId('data').textContent));
  const tree = foldingTree(model);
  app.colours = makeColours(model, tree, () => app.passIndex);
  if (model.raw.passes.length) {
    app.passIndex = model.raw.passes.length - 1;
    app.pass = readPass(model, app.passIndex);
  }
  const view = (app.view = makeView(model, tree, app.colours));
  app.panel = makePanel(model, tree, view);
  const search = makeSearch(model, tree, view);
  const stepper = makeStepper(model, tree, view);
  view.onSelect = app.panel.show;
  view.changed = () => {
    search.mark();
    stepper.draw();
  };
  byId('summary').textContent = summary(model);
  fillModes();
  fillPasses();
  theme(document.documentElement.dataset.theme);
  view.render();
  view.home();
  connect();
  document.body.dataset.ready = '1';

  function fillModes() {
    byId('mode').append(...app.colours.modes.map(({ key, name }) => el('option', { value: key }, name)));
    byId('mode').addEventListener('change', (event) => {
      view.mode = event.target.value;
      view.recolour();
    });
  }
  function fillPasses() {
    const { passes } = model.raw;
    if (!passes.length) return;
    byId('stepper').hidden = false;
    byId('pass-label').hidden = passes.length < 2;
    byId('pass').append(
      ...passes.map((_, k) =>
        el('option', { value: k, selected: k === app.passIndex }, `${k + 1} of ${passes.length}`),
      ),
    );
    byId('pass').addEventListener('change', (event) => {
      stepper.load(Number(event.target.value));
      view.recolour();
      if (view.selected >= 0) app.panel.show(view.selected);
    });
    stepper.load(app.passIndex);
  }
  function nextMode() {
    const { modes } = app.colours,
      at = modes.findIndex(({ key }) => key === view.mode);
    view.mode = modes[(at + 1) % modes.length].key;
    byId('mode').value = view.mode;
    view.recolour();
    say(`Colour by ${modes[(at + 1) % modes.length].name}`);
  }
  function theme(wanted) {
    const dark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
    document.documentElement.dataset.look = dark ? 'dark' : 'light';
    document.documentElement.dataset.theme = wanted;
  }
  function switchTheme() {
    theme(document.documentElement.dataset.look === 'dark' ? 'light' : 'dark');
    view.camera.pan(0, 0);
    say(`${document.documentElement.dataset.look} colours`);
  }

  function connect() {
    const { camera } = view;
    const zoomIn = () => camera.zoom(1.3, undefined, undefined, true);
    const zoomOut = () => camera.zoom(1 / 1.3, undefined, undefined, true);
    const help = () => byId('help').showModal();
    const buttons = {
      'zoom-in': zoomIn,
      'zoom-out': zoomOut,
      fit: () => camera.fit(),
      'fold-all': view.foldAll,
      'unfold-all': view.unfoldLevel,
      theme: switchTheme,
      'help-open': help,
    };
    Object.entries(buttons).forEach(([id, action]) => byId(id).addEventListener('click', action));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      if (document.documentElement.dataset.theme === 'auto') theme('auto');
    });
    new ResizeObserver(() => camera.resized()).observe(byId('stage'));
    let screen = null;
    window.addEventListener('beforeprint', () => {
      const { w, h } = view.layout;
      screen = { ...camera.at };
      document.documentElement.dataset.look = 'light';
      camera.set(0, 0, 1);
      byId('canvas').setAttribute('viewBox', `-8 -8 ${fix(w + 16)} ${fix(h + 16)}`);
      byId('canvas').setAttribute('preserveAspectRatio', 'xMidYMin meet');
    });
    window.addEventListener('afterprint', () => {
      theme(document.documentElement.dataset.theme);
      byId('canvas').removeAttribute('viewBox');
      if (screen) camera.set(screen.x, screen.y, screen.k);
    });

    const anywhere = {
      '/': () => {
        byId('query').focus();
        byId('query').select();
      },
      '?': help,
      '+': zoomIn,
      '=': zoomIn,
      '-': zoomOut,
      '−': zoomOut,
      f: () => camera.fit(),
      0: () => camera.fit(),
      F: view.foldAll,
      u: view.unfoldLevel,
      n: () => search.go(1),
      p: () => search.go(-1),
      m: nextMode,
      d: switchTheme,
      '.': stepper.next,
      ',': stepper.back,
      k: stepper.play,
      '[': stepper.first,
      ']': stepper.last,
      Escape: () => {
        app.panel.close();
        view.select(-1);
      },
    };
    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
      if (event.target.closest('input:not([type=range]):not([type=checkbox]), select')) return;
      if (nodeKey(event)) {
        event.preventDefault();
        return;
      }
      const action = anywhere[event.key];
      if (!action || ('.,k[]'.includes(event.key) && !app.pass)) return;
      event.preventDefault();
      action();
    });
  }

  function nodeKey(event) {
    const directions = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };
    const direction = directions[event.key];
    const inside = event.target === document.body || event.target.closest('#stage');
    if (!inside || event.target.closest('button')) return false;
    const id = view.focus;
    if (direction && event.shiftKey) {
      view.camera.pan(...{ up: [0, 80], down: [0, -80], left: [80, 0], right: [-80, 0] }[direction]);
      return true;
    }
    if (direction) {
      const to = event.target === document.body ? id : view.neighbour(id, direction);
      if (to >= 0) {
        view.focusOn(to);
        view.camera.show(view.layout.boxes.get(to));
        say(view.spoken(to));
      }
      return true;
    }
    if (id < 0 || event.target === document.body) return false;
    if (event.key === 'Enter') {
      if (tree.isGroup(id) && view.selected === id) view.toggle(id);
      else view.select(id);
      return true;
    }
    if (event.key === ' ') {
      view.toggle(id);
      return true;
    }
    if (event.key === 'Backspace') {
      const [around] = tree.ancestors(id);
      if (around !== undefined) view.toggle(around, false);
      return true;
    }
    return false;
  }
}

function summary(model) {
  let backward = 0;
  for (let e = 0; e < model.count; e += 1) backward += model.isBackward(e);
  const parts = [countText(model.count, 'operation')];
  if (backward) parts.push(`${backward.toLocaleString('en')} of them backward`);
  const parameters = model.leaves.filter((v) => model.role(v) === 'parameter').length;
  if (parameters) parts.push(countText(parameters, 'parameter'));
  return parts.join(', ');
}

start();
