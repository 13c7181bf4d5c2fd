/** Names that fit into a picture: real servers are called by sixteen hexadecimal digits. */

const longName = /\b[0-9a-f]{16}\b/g;

/** `0000000000000001` as `s1`, `8e9e05c52164694d` as `8e9e`; whatever is short already as it is. */
export function shortName(id: string): string {
  if (!/^[0-9a-f]{16}$/.test(id)) return id;
  const digits = id.replace(/^0+/, '');
  return id.startsWith('00000000') ? `s${digits}` : id.slice(0, 4);
}

export function withShortNames(text: string): string {
  return text.replace(longName, shortName);
}
