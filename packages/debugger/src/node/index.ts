/** The page on this machine: a server on loopback that hands out its built files and nothing else. */
export { contentSecurityPolicy, type PageServer, type Served, servePage } from './serve.ts';
