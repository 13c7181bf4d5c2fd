/** The page on this machine: its built files, and a server on loopback that hands out nothing else. */
export { type PageFile, pageFile } from './page-files.ts';
export { contentSecurityPolicy, type PageServer, type Served, servePage } from './serve.ts';
