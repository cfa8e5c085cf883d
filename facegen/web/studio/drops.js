// What is dropped onto the page or opened: a face, a photograph, a timeline, a take.
import { ask } from "/page/link.js";
import { form, toast, watched } from "/page/work.js";

const $ = (id) => document.getElementById(id);
const TIMELINE = /\.ya?ml$/i, TAKE = /\.csv$/i;

export class Drops {
  // history, panel: of the page; expressions(): of the model, none before it is there
  constructor(history, panel, expressions) {
    Object.assign(this, { history, panel, expressions });
    this.files = new Map(); // by a face's name, what it was made of, should the server forget it
    $("file").onchange = () => (this.take([...$("file").files]), ($("file").value = ""));
    let over = 0;
    addEventListener("dragenter", () => ($("drop").hidden = ++over < 1));
    addEventListener("dragleave", () => ($("drop").hidden = --over < 1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      over = 0;
      $("drop").hidden = true;
      this.take([...event.dataTransfer.files], event.target.closest?.("[data-expression]")?.dataset.expression);
    });
  }

  // The name of the face that is made of files; null where it was stopped.
  async fitted(files) {
    const { job } = await ask("/faces", form(files));
    const told = await watched(job, "Fitting the template");
    if (!told) return null;
    this.files.set(told.result, files);
    return told.result;
  }

  async take(files, lane) {
    if (!files.length || !this.expressions()) return;
    try {
      if (!files.every(({ name }) => TIMELINE.test(name) || TAKE.test(name))) {
        const face = await this.fitted(files);
        if (face) this.history.commit({ ...this.history.state, face });
      } else if (TIMELINE.test(files[0].name)) await this.#timeline(files[0]);
      else await this.#take(files[0], lane);
    } catch (error) {
      toast(error.message, true);
    }
  }

  async #timeline(file) {
    const timeline = await ask("/timelines", form([file]));
    this.panel.chosen = [];
    this.history.commit({ ...this.history.state, ...timeline, in: null, out: null, name: file.name.replace(TIMELINE, "") });
  }

  // A take onto the lane of an expression, or of what is selected.
  async #take(file, lane) {
    const { history, panel } = this;
    const { keys } = await ask(`/takes?fps=${history.state.fps}`, form([file]));
    const expression = lane ?? history.state.events[panel.chosen.at(-1)]?.expression ?? this.expressions()[0];
    const event = { expression, keys, intensity: 1, ease: "linear" };
    const others = history.state.events.filter((each) => each.expression !== expression);
    panel.chosen = [others.length];
    history.commit({ ...history.state, frames: Math.max(history.state.frames, keys.at(-1)[0] + 1), events: [...others, event] });
  }
}
