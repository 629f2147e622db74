// Describes file system errors for a terminal.

const FILE_ERRORS: Readonly<Record<string, string>> = {
  EISDIR: 'is a folder, not a file',
  EEXIST: 'a part of the path is a file, not a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'this user may not open the file or its folder',
  EPERM: 'this user may not open the file or its folder',
  EROFS: 'the file system is read-only',
  ELOOP: 'has too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
};

/** @returns whether the path is the mistake, and not the state of the machine, such as a full disk */
export function isFileError(error: unknown): boolean {
  return getCode(error) === 'ENOENT' || Object.hasOwn(FILE_ERRORS, getCode(error));
}

/** @param missing text for a file that does not exist */
export function describeFileError(error: unknown, missing: string = 'the file does not exist'): string {
  const code = getCode(error);
  if (code === 'ENOENT') return missing;
  return FILE_ERRORS[code] ?? `cannot be read (${code || 'unknown error'})`;
}

function getCode(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }; // any error may have one
  return typeof code === 'string' ? code : '';
}
