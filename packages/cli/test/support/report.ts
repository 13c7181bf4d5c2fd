/** What a trial saw: figures for people, which decide nothing. */
export function report(line: string): void {
  process.stdout.write(`    ${line}\n`);
}
