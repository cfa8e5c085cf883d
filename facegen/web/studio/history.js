// What is on the page as one plain object, and all states that it had: everything can be undone.
const MOST = 1000;

export class History {
  constructor(state) {
    this.past = [];
    this.future = [];
    this.state = state;
    this.listeners = [];
  }

  // A state that is not kept yet, as while a handle is dragged.
  preview(state) {
    this.before ??= this.state;
    this.#become(state, false);
  }

  // A state that undo comes back from; what was only previewed before it is no step.
  commit(state = this.state) {
    const before = this.before ?? this.state;
    this.before = undefined;
    if (JSON.stringify(before) === JSON.stringify(state)) return this.#become(state, true);
    this.past = [...this.past, before].slice(-MOST);
    this.future = [];
    this.#become(state, true);
  }

  // Something that is not the user's doing, such as a face's new name after the server came back.
  replace(state) {
    this.#become(state, true);
  }

  undo() {
    if (!this.past.length) return false;
    this.before = undefined;
    this.future.push(this.state);
    this.#become(this.past.pop(), true);
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.state);
    this.#become(this.future.pop(), true);
    return true;
  }

  #become(state, settled) {
    this.state = state;
    for (const listen of this.listeners) listen(state, settled);
  }
}
