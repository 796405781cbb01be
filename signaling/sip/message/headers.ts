import { headerName, isListHeader, type HeaderName } from './header-names.ts';
import { splitList } from './lexer.ts';

/** One header field. Never changed once made: a new value is a new field. */
export interface HeaderField extends HeaderName {
  readonly value: string;
}

class Field implements HeaderField {
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** What a typed getter made of the value, kept for its next call. */
  parsed: unknown = undefined;

  constructor(name: HeaderName, value: string) {
    this.key = name.key;
    this.name = name.name;
    this.value = value;
  }
}

/**
 * The header fields of one message: found by any spelling of their name, compact form included, kept
 * in the order received.
 */
export class SipHeaders {
  readonly #fields: Field[] = [];

  /** The value of the first field of that name. */
  get(name: string): string | undefined {
    return this.#find(keyOf(name))?.value;
  }

  /** The values of all fields of that name, as written. */
  getAll(name: string): string[] {
    const key = keyOf(name);

    return this.#fields.filter((field) => field.key === key).map((field) => field.value);
  }

  /** All values of a list header, whether joined by commas or not; empty ones left out. */
  list(name: string): string[] {
    const key = keyOf(name);
    const values: string[] = [];
    for (const field of this.#fields) {
      if (field.key !== key) continue;
      if (!isListHeader(key)) values.push(field.value);
      else values.push(...(splitList(field.value) ?? [field.value]).filter((part) => part !== ''));
    }

    return values;
  }

  has(name: string): boolean {
    return this.#find(keyOf(name)) !== undefined;
  }

  /** How many fields of that name there are. */
  count(name: string): number {
    const key = keyOf(name);
    let count = 0;
    for (const field of this.#fields) if (field.key === key) count++;

    return count;
  }

  /** Puts one field in the place of all of that name, or at the end. */
  set(name: string, value: string): this {
    const field = new Field(requireName(name), value);
    const at = this.#fields.findIndex((other) => other.key === field.key);
    if (at < 0) this.#fields.push(field);
    else {
      this.#fields[at] = field;
      this.#removeAfter(field.key, at + 1);
    }

    return this;
  }

  append(name: string, value: string): this {
    this.#fields.push(new Field(requireName(name), value));

    return this;
  }

  /** Before all others of its name. */
  prepend(name: string, value: string): this {
    const field = new Field(requireName(name), value);
    const at = this.#fields.findIndex((other) => other.key === field.key);
    this.#fields.splice(Math.max(at, 0), 0, field);

    return this;
  }

  /** Puts `value` in the place of the topmost value of a list header; the others stay. */
  replaceTop(name: string, value: string): this {
    const key = keyOf(name);
    const at = this.#fields.findIndex((field) => field.key === key);
    if (at < 0) return this.append(name, value);
    const others = splitList(this.#fields[at]!.value)?.slice(1) ?? [];
    this.#fields[at] = new Field(requireName(name), [value, ...others].join(', '));

    return this;
  }

  delete(name: string): this {
    this.#removeAfter(keyOf(name), 0);

    return this;
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }

  clone(): SipHeaders {
    const copy = new SipHeaders();
    copy.#fields.push(...this.#fields);

    return copy;
  }

  /** For the parser, which has the name at hand. */
  appendField(name: HeaderName, value: string): void {
    this.#fields.push(new Field(name, value));
  }

  /** The first field, read by `parse`; read once. `undefined` when absent or malformed. */
  typed<T>(key: string, parse: (value: string) => T | undefined): T | undefined {
    const field = this.#find(key);
    if (field === undefined) return undefined;
    field.parsed ??= parse(field.value);

    return field.parsed as T | undefined;
  }

  /** All values of a list header, read by `parse`; `undefined` when one of them is malformed. */
  typedList<T>(key: string, parse: (value: string) => T | undefined): readonly T[] | undefined {
    let all: readonly T[] | undefined;
    for (const field of this.#fields) {
      if (field.key !== key) continue;
      field.parsed ??= parseList(field.value, parse);
      if (field.parsed === undefined) return undefined;
      const values = field.parsed as readonly T[];
      all = all === undefined ? values : [...all, ...values];
    }

    return all ?? [];
  }

  #find(key: string): Field | undefined {
    for (const field of this.#fields) if (field.key === key) return field;

    return undefined;
  }

  #removeAfter(key: string, start: number): void {
    for (let i = this.#fields.length - 1; i >= start; i--) {
      if (this.#fields[i]!.key === key) this.#fields.splice(i, 1);
    }
  }
}

function parseList<T>(value: string, parse: (value: string) => T | undefined): T[] | undefined {
  const parts = splitList(value);
  if (parts === undefined) return undefined;
  const values: T[] = [];
  for (const part of parts) {
    const parsed = parse(part);
    if (parsed === undefined) return undefined;
    values.push(parsed);
  }

  return values;
}

function keyOf(name: string): string {
  return headerName(name)?.key ?? name.toLowerCase();
}

function requireName(name: string): HeaderName {
  const found = headerName(name);
  if (found === undefined) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);

  return found;
}
