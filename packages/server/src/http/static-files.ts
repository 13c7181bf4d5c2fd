/** Files that a server hands out besides its own pages: whoever starts it brings them, for no page is part of the server. */

export interface StaticFile {
  /** Its content-type. */
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface StaticFiles {
  /** The path below which they are, with a slash at both ends. Without the last one the browser is sent to `home`. */
  readonly at: string;
  /** Where a visit begins: a path, with whatever stands behind it. */
  readonly home: string;
  /** The Content-Security-Policy of all of them. */
  readonly policy: string;
  /** The file at a path below `at`, '/' for the page itself; null if there is none. */
  file(path: string): Promise<StaticFile | null>;
}
