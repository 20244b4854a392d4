// Where the picture is on the screen: pan, zoom, fit, and the minimap. Pointer, wheel, pinch.

const LEAST_ZOOM = 0.02;
const MOST_ZOOM = 4;
const READABLE = 0.62;
const LEGEND = 56;

/** A camera over `#world` inside the stage; `size()` gives the picture's width and height. */
function makeCamera(stage, world, size, onDrag) {
  const at = { x: 0, y: 0, k: 1 };
  const pointers = new Map();
  let moved = 0;
  let flight = 0;
  let pinch = null;
  let pressed = -Infinity;
  let waiting = 0;
  const listeners = [];
  // What the panel covers on a small screen is no room.
  const room = () => {
    const panel = byId('panel');
    const right = stage.getBoundingClientRect().right;
    const covered = panel.hidden ? 0 : Math.max(right - panel.getBoundingClientRect().left, 0);
    return {
      w: Math.max(stage.clientWidth - (covered < stage.clientWidth * 0.95 ? covered : 0), 120),
      h: stage.clientHeight,
    };
  };

  function apply() {
    world.setAttribute('transform', `translate(${fix(at.x)} ${fix(at.y)}) scale(${Number(at.k.toPrecision(6))})`);
    listeners.forEach((listener) => listener());
  }
  let whole = false; // everything was made to fit, and nobody moved it since
  function set(x, y, k) {
    whole = false;
    cancelAnimationFrame(flight);
    Object.assign(at, { x, y, k });
    apply();
  }
  /** Move smoothly, or at once for those who prefer it. */
  function fly(x, y, k) {
    whole = false;
    cancelAnimationFrame(flight);
    if (still() || document.hidden) {
      set(x, y, k);
      return;
    }
    const from = { ...at };
    const began = performance.now();
    const frame = (now) => {
      const t = Math.min((now - began) / 260, 1);
      const s = t * t * (3 - 2 * t);
      Object.assign(at, { x: from.x + (x - from.x) * s, y: from.y + (y - from.y) * s, k: from.k * (k / from.k) ** s });
      apply();
      if (t < 1) flight = requestAnimationFrame(frame);
    };
    flight = requestAnimationFrame(frame);
  }
  function zoom(factor, px = room().w / 2, py = room().h / 2, smooth = false) {
    const k = clamp(at.k * factor, LEAST_ZOOM, MOST_ZOOM);
    const f = k / at.k;
    (smooth ? fly : set)(px - (px - at.x) * f, py - (py - at.y) * f, k);
  }
  function fit(smooth = true) {
    const { w, h } = room(),
      picture = size();
    const k = clamp(Math.min((w - 48) / picture.w, (h - 24 - LEGEND) / picture.h), LEAST_ZOOM, 1.25);
    (smooth ? fly : set)((w - picture.w * k) / 2, Math.max((h - LEGEND + 24 - picture.h * k) / 2, 24), k);
    whole = true;
  }
  /** As `fit`, but large enough to read; the beginning is in view then. */
  function begin(focus) {
    const { w, h } = room(),
      picture = size();
    const all = Math.min((w - 48) / picture.w, (h - 24 - LEGEND) / picture.h);
    if (all >= READABLE) {
      fit(false);
      return;
    }
    const across = (w - 48) / picture.w;
    const k = clamp(Math.max(all, Math.min(across, 0.9)), READABLE, 1);
    const x =
      picture.w * k <= w - 48 ? (w - picture.w * k) / 2 : clamp(w / 2 - focus.x * k, w - 24 - picture.w * k, 24);
    set(x, picture.h * k <= h - 48 ? (h - picture.h * k) / 2 : 24, k);
  }
  /** Bring a box into view, with as little movement as that takes. */
  function show(box, centre = false) {
    if (whole && !centre && at.k >= READABLE / 2) return;
    const { w, h } = room();
    const k = Math.max(at.k, centre ? READABLE : 0);
    const seen = box.whole ? box.h : Math.min(box.h, 60);
    const cx = box.x + box.w / 2;
    const cy = box.y + seen / 2;
    const sx = cx * at.k + at.x;
    const sy = cy * at.k + at.y;
    const edge = Math.min(90, w / 5, h / 5);
    if (box.whole) {
      const [dx, dy] = [
        [sx, (box.w * at.k) / 2 + 24, w],
        [sy, (seen * at.k) / 2 + 40, h - 30],
      ].map(([s, half, room]) => clamp(s, half, Math.max(room - half, half)) - s);
      if (dx || dy) fly(at.x + dx, at.y + dy, at.k);
      return;
    }
    if (!centre && sx > edge && sx < w - edge && sy > edge && sy < h - edge) return;
    if (centre) fly(w / 2 - cx * k, h / 2 - cy * k, k);
    else fly(at.x + clamp(sx, edge, w - edge) - sx, at.y + clamp(sy, edge, h - edge) - sy, k);
  }

  stage.addEventListener(
    'wheel',
    (event) => {
      if (event.target.closest('.card')) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey) set(at.x - (event.deltaX || event.deltaY) * lines, at.y, at.k);
      else {
        const box = stage.getBoundingClientRect();
        zoom(
          Math.exp(-clamp(event.deltaY * lines, -120, 120) * (event.ctrlKey ? 0.01 : 0.0018)),
          event.clientX - box.left,
          event.clientY - box.top,
        );
      }
    },
    { passive: false },
  );
  stage.addEventListener('pointerdown', (event) => {
    if (event.target.closest('.card') || event.button > 1) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    pressed = performance.now();
    moved = 0;
    pinch = null;
  });
  window.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before[0];
    const dy = event.clientY - before[1];
    moved += Math.abs(dx) + Math.abs(dy);
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (pointers.size === 2) {
      const [[a, b], [c, d]] = [...pointers.values()],
        box = stage.getBoundingClientRect();
      const now = { d: Math.hypot(a - c, b - d), x: (a + c) / 2 - box.left, y: (b + d) / 2 - box.top };
      if (pinch) {
        set(at.x + now.x - pinch.x, at.y + now.y - pinch.y, at.k);
        zoom(now.d / Math.max(pinch.d, 1), now.x, now.y);
      }
      pinch = now;
    } else if (moved > 4) {
      stage.classList.add('dragging');
      onDrag();
      set(at.x + dx, at.y + dy, at.k);
    }
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    pinch = null;
    stage.classList.remove('dragging');
  };
  window.addEventListener('pointerup', release);
  window.addEventListener('pointercancel', release);
  return {
    at,
    set,
    fly,
    zoom,
    fit,
    begin,
    show,
    room,
    pan: (dx, dy) => set(at.x + dx, at.y + dy, at.k),
    dragged: () => moved > 4,
    // Not under a pointer that may be about to click again.
    resized: () => {
      apply();
      clearTimeout(waiting);
      const wait = pressed + 450 - performance.now();
      if (whole && wait > 0)
        waiting = setTimeout(() => {
          if (whole) fit(true);
        }, wait);
      else if (whole) fit(false);
    },
    listen: (listener) => listeners.push(listener),
  };
}

/** The whole picture, small, with the part on the screen; hidden while everything is in view. */
function makeMinimap(canvas, camera, layout) {
  let drawn = null;
  let scale = 1;
  function paint() {
    const { boxes, w, h } = layout();
    const { at } = camera,
      room = camera.room();
    const all = at.x >= -1 && at.y >= -1 && at.x + w * at.k <= room.w + 1 && at.y + h * at.k <= room.h + 1;
    canvas.hidden = all || room.w < 560;
    if (canvas.hidden) return;
    const [W, H] = [168, clamp((168 * h) / w, 60, 190)];
    const dense = window.devicePixelRatio || 1;
    if (canvas.height !== Math.round(H * dense) || canvas.width !== Math.round(W * dense)) {
      canvas.width = Math.round(W * dense);
      canvas.height = Math.round(H * dense);
      canvas.style.height = `${H}px`;
      canvas.style.width = `${W}px`;
    }
    const pen = canvas.getContext('2d');
    const css = getComputedStyle(document.documentElement);
    scale = Math.min((W - 12) / w, (H - 12) / h);
    const [left, top] = [(W - w * scale) / 2, (H - h * scale) / 2];
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, W, H);
    pen.fillStyle = css.getPropertyValue('--line');
    for (const box of boxes.values()) {
      pen.globalAlpha = box.open ? 0.25 : 0.9;
      pen.fillRect(left + box.x * scale, top + box.y * scale, Math.max(box.w * scale, 1), Math.max(box.h * scale, 1));
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = css.getPropertyValue('--accent');
    pen.lineWidth = 1.5;
    const x = left - (at.x / at.k) * scale;
    const y = top - (at.y / at.k) * scale;
    pen.strokeRect(
      clamp(x, 1, W - 4),
      clamp(y, 1, H - 4),
      Math.min((room.w / at.k) * scale, W - 2 - Math.max(x, 1)),
      Math.min((room.h / at.k) * scale, H - 2 - Math.max(y, 1)),
    );
    drawn = { left, top };
  }
  function jump(event) {
    if (!event.buttons || !drawn) return;
    const box = canvas.getBoundingClientRect(),
      room = camera.room(),
      { k } = camera.at;
    const x = (event.clientX - box.left - drawn.left) / scale;
    const y = (event.clientY - box.top - drawn.top) / scale;
    camera.set(room.w / 2 - x * k, room.h / 2 - y * k, k);
  }
  canvas.addEventListener('pointerdown', jump);
  canvas.addEventListener('pointermove', jump);
  camera.listen(paint);
  return paint;
}
