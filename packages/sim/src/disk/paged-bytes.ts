/** The bytes of a file, as pages that exist only once something was written to them and that two holders share until one writes. */

export const SECTOR_BYTES = 512;
export const PAGE_BYTES = 4096;

export class PagedBytes {
  /** Bytes of the file; pages beyond it, or never written, read as zeros. */
  #length = 0;
  readonly #pages: (Uint8Array | undefined)[] = [];
  /** Whether a page is ours alone and may be changed in place. */
  readonly #own: boolean[] = [];

  static of(bytes: Uint8Array): PagedBytes {
    const paged = new PagedBytes();
    paged.write(0, bytes);
    return paged;
  }

  get length(): number {
    return this.#length;
  }

  /** The same bytes; no page is copied before one of the two changes it. */
  clone(): PagedBytes {
    const twin = new PagedBytes();
    twin.#length = this.#length;
    for (let page = 0; page < this.#pages.length; page++) twin.#share(this, page);
    return twin;
  }

  /** Writes, and grows the file if it ends before. */
  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end; ) {
      const page = Math.floor(at / PAGE_BYTES);
      const within = at - page * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - within, end - at);
      this.#writable(page).set(bytes.subarray(at - offset, at - offset + count), within);
      at += count;
    }
    if (end > this.#length) this.#length = end;
  }

  /** Up to `length` bytes from `offset`; fewer at the end of the file. A copy. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.#length);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end; ) {
      const page = Math.floor(at / PAGE_BYTES);
      const within = at - page * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - within, end - at);
      const held = this.#pages[page];
      if (held !== undefined) bytes.set(held.subarray(within, within + count), at - offset);
      at += count;
    }
    return bytes;
  }

  /** Cuts the file, or grows it with zeros, which take no space here. */
  resize(length: number): void {
    if (length < this.#length) this.#cut(length);
    this.#length = length;
  }

  /** Takes over the page that `other` has in this place, as it is now: by copying it, for the next write comes soon. */
  adopt(other: PagedBytes, page: number): void {
    const held = other.#pages[page];
    if (held === undefined) return this.#share(other, page);
    const mine = this.#own[page] === true ? this.#pages[page] : undefined;
    if (mine !== undefined) return mine.set(held);
    this.#pages[page] = held.slice();
    this.#own[page] = true;
  }

  /** Whether a range holds nothing but zeros. */
  isZero(offset: number, length: number): boolean {
    const end = Math.min(offset + length, this.#length);
    for (let at = offset; at < end; ) {
      const page = Math.floor(at / PAGE_BYTES);
      const pageEnd = Math.min(end, (page + 1) * PAGE_BYTES);
      const held = this.#pages[page];
      if (held === undefined) at = pageEnd;
      else for (; at < pageEnd; at++) if (held[at - page * PAGE_BYTES] !== 0) return false;
    }
    return true;
  }

  #share(other: PagedBytes, page: number): void {
    this.#pages[page] = other.#pages[page];
    this.#own[page] = false;
    other.#own[page] = false;
  }

  #writable(page: number): Uint8Array {
    const held = this.#pages[page];
    if (held !== undefined && this.#own[page] === true) return held;
    const mine = held === undefined ? new Uint8Array(PAGE_BYTES) : held.slice();
    this.#pages[page] = mine;
    this.#own[page] = true;
    return mine;
  }

  #cut(length: number): void {
    const kept = Math.ceil(length / PAGE_BYTES);
    if (this.#pages.length > kept) this.#pages.length = kept;
    const within = length % PAGE_BYTES;
    if (within > 0 && this.#pages[kept - 1] !== undefined) this.#writable(kept - 1).fill(0, within);
  }
}
