/** A scenario has not gone as it must. The message says what was expected. */
export class ScenarioFailure extends Error {
  override readonly name = 'ScenarioFailure';
}
