/** In the style of handlers all calls go through one method, which says what is meant. */
export function unwrapped<Data>(method: string, args: Data): { readonly method: string; readonly args: Data } {
  if (method !== 'handle' || typeof args !== 'object' || args === null) return { method, args };
  const { method: meant, args: own } = args as { readonly method?: unknown; readonly args?: Data };
  return typeof meant === 'string' && own !== undefined ? { method: meant, args: own } : { method, args };
}
