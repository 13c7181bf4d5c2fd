/** Quorate's own version. */
export const quorateVersion = '0.1.0';

/**
 * The etcd release whose API this server answers like. Clients parse it as a semantic version and choose features by it, so
 * it names the lowest 3.5: nothing that a later one added is promised.
 */
export const etcdVersion = '3.5.0';
