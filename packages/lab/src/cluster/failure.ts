/** A scenario has not gone as it must. The message says what was expected. */
export class ScenarioFailure extends Error {
  override readonly name = 'ScenarioFailure';
  /** An HTML page that shows what the message can only name. */
  readonly page: string | null;

  constructor(message: string, page: string | null = null) {
    super(message);
    this.page = page;
  }
}

/** The scenario needs what an implementation may leave out, and this one does. The message says what. */
export class NotOffered extends Error {
  override readonly name = 'NotOffered';
}
