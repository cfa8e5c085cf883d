// Times on the studio's page, kept by what stands around its own functions; `facegen bench studio` runs it there.
{
  const { player, view, history } = studio;
  const gl = view.canvas.getContext("webgl2"), pixel = new Uint8Array(4);
  const settle = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel); // back once all is drawn
  const around = (of, name, wrap) => (of[name] = wrap(of[name].bind(of)));
  const now = () => performance.now();
  const probe = (globalThis.probe = { moves: [], frames: [], seen: false, move: null, page: 0 });

  probe.timeline = (frames, fps) => history.commit({ ...history.state, frames, fps, events: [], alive: false });
  probe.arm = () => Object.assign(probe, { seen: false, move: null, armed: true });
  addEventListener("pointermove", (event) => {
    if (probe.armed) probe.move = { hand: event.timeStamp, revision: studio.revision };
    probe.armed = false;
  }, true);

  around(player, "take", (own) => (frame) => {
    const { move } = probe;
    if (move && !move.came && frame.revision > move.revision && frame.number === Math.round(player.at)) move.came = now();
    own(frame);
  });
  around(view, "show", (own) => (frame) => {
    const begun = now();
    own(frame);
    probe.page = now() - begun;
    if (probe.move?.came && !probe.move.posed) probe.move.posed = now();
  });
  around(view, "now", (own) => () => {
    const begun = now();
    own();
    const page = now() - begun;
    settle();
    const { move } = probe, drawn = now();
    if (player.playing) probe.frames.push({ page: probe.page + page, browser: drawn - begun - page });
    if (!move?.posed) return;
    probe.moves.push({ all: drawn - move.hand, server: move.came - move.hand, page: begun - move.came + page, browser_draws: drawn - begun - page });
    Object.assign(probe, { move: null, seen: true });
  });
}
