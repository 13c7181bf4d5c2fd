/** Data that is plain by its type, told to the compiler. */
type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

export function asPlain<Value extends object>(value: Value): { readonly [name: string]: Plain } & Value {
  return value as Value & { readonly [name: string]: Plain };
}
