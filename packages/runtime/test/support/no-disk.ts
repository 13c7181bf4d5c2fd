import type { Disk } from '@quorate/runtime';

/** For parts that have no business with a disk. */
export const noDisk: Disk = new Proxy({} as Disk, {
  get(_target, name) {
    throw new Error(`this part must not touch the disk, but it used disk.${String(name)}`);
  },
});
