/** How each state was first reached: its parent and which of the parent's actions it was. A way is found by walking back. */
const firstCapacity = 1 << 16;
const bytesPerState = 6;

export class Trail {
  #parents = new Int32Array(firstCapacity);
  #actions = new Uint16Array(firstCapacity);
  #size = 0;

  /** The number of states, which is also the next one's number. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#parents.length * bytesPerState;
  }

  /** `parent` is -1 for where the search began. Returns the state's number. */
  add(parent: number, action: number): number {
    if (this.#size === this.#parents.length) this.#grow();
    this.#parents[this.#size] = parent;
    this.#actions[this.#size] = action;
    this.#size += 1;
    return this.#size - 1;
  }

  /** Which of their parents' actions to take, from the beginning on. */
  to(state: number): number[] {
    const actions: number[] = [];
    for (let at = state; (this.#parents[at] ?? -1) >= 0; at = this.#parents[at] as number) {
      actions.push(this.#actions[at] as number);
    }
    return actions.reverse();
  }

  #grow(): void {
    const parents = new Int32Array(2 * this.#parents.length);
    parents.set(this.#parents);
    this.#parents = parents;
    const actions = new Uint16Array(2 * this.#actions.length);
    actions.set(this.#actions);
    this.#actions = actions;
  }
}
