/** How far an evaluation is, and how long it will still take. */

/** What is shown: `line` replaces itself, `say` stays. */
export interface Screen {
  line(text: string): void;
  say(text: string): void;
}

const BAR_WIDTH = 24;

/** Estimates hold for a quiet machine; what the cells really took corrects them as they go. */
export class Progress {
  readonly #screen: Screen;
  readonly #total: number;
  #done = 0;
  #took = 0;

  /** `seconds`: the estimates of all cells that are to be run. */
  constructor(screen: Screen, seconds: number) {
    this.#screen = screen;
    this.#total = Math.max(1, seconds);
  }

  begin(what: string): void {
    const share = this.#done / this.#total;
    const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
    this.#screen.line(`${bar} ${Math.round(share * 100)} %, about ${duration(this.secondsLeft)} left: ${what}`);
  }

  end(estimate: number, took: number): void {
    this.#done += estimate;
    this.#took += took;
  }

  get secondsLeft(): number {
    const pace = this.#done === 0 ? 1 : this.#took / this.#done;
    return Math.max(0, this.#total - this.#done) * pace;
  }
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
