import type { Index } from '@quorate/raft';
import type { DiskError } from './environment.ts';
import type { StorageError } from './storage.ts';

/** A StorageError on its way up through code that is written as a sequence of steps. Never leaves the package. */
export class StorageFailure extends Error {
  readonly storageError: StorageError;

  constructor(
    code: StorageError['code'],
    message: string,
    path: string | null = null,
    offset: number | null = null,
    index: Index | null = null,
  ) {
    super(message);
    this.name = 'StorageFailure';
    this.storageError = { code, message, path, offset, index };
  }

  static of(error: StorageError): StorageFailure {
    return new StorageFailure(error.code, error.message, error.path, error.offset, error.index);
  }
}

/** Whether the disk, or this user's share of it, is full. */
export function isNoSpace({ code }: DiskError): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What a failed disk operation means for the storage as a whole. */
export function storageErrorOf(error: DiskError): StorageError {
  const where = error.path === '' ? 'the data directory' : `'${error.path}'`;
  switch (error.code) {
    case 'EBUSY':
      return {
        code: 'DirectoryInUse',
        message: `The data directory is held by another process (${error.message}). Stop that server first, or give this one a directory of its own.`,
        path: error.path,
        offset: null,
        index: null,
      };
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        code: 'DiskFull',
        message: `The disk is full: ${where} could not be written (${error.message}). Free some space; a server that has stopped for it must be started again.`,
        path: error.path,
        offset: null,
        index: null,
      };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return {
        code: 'DiskFailed',
        message: `The data directory cannot be used: ${where}: ${error.message}. Give this server a directory that it may write to.`,
        path: error.path,
        offset: null,
        index: null,
      };
    default:
      return {
        code: 'DiskFailed',
        message: `The disk failed on ${where}: ${error.code}: ${error.message}. Nothing can be promised after that; check the disk, then start the server again.`,
        path: error.path,
        offset: null,
        index: null,
      };
  }
}
