export { openNodeDisk } from './disk.ts';
