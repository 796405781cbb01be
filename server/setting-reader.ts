/** Reads settings from text, one rule at a time, and collects what is wrong instead of stopping. */
export interface SettingProblem {
  variable: string;
  /** As it was given, or what stands for it when it is a secret or absent. */
  value: string;
  allowed: string;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super(problems.map((p) => `${p.variable}=${p.value}: must be ${p.allowed}`).join('\n'));
    this.problems = problems;
  }
}

export class SettingReader {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #problems: SettingProblem[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Undefined when unset or empty: `.env` files often hold `NAME=` for "default". */
  text(variable: string): string | undefined {
    const value = this.#env[variable]?.trim();

    return value === '' ? undefined : value;
  }

  integer(variable: string, fallback: number, min: number, max: number): number {
    return this.parsed(variable, fallback, `a whole number from ${min} to ${max}`, (text) => {
      const number = Number(text);

      return /^\d{1,15}$/.test(text) && number >= min && number <= max ? number : undefined;
    });
  }

  boolean(variable: string, fallback: boolean): boolean {
    return this.oneOf(variable, fallback ? 'true' : 'false', ['true', 'false']) === 'true';
  }

  oneOf<T extends string>(variable: string, fallback: T, values: readonly T[]): T {
    return this.parsed(variable, fallback, `one of ${values.join(', ')}`, (text) =>
      values.find((value) => value === text),
    );
  }

  /** `parse` answers undefined for what is not allowed. A problem of a secret does not show it. */
  parsed<T, F>(
    variable: string,
    fallback: F,
    allowed: string,
    parse: (text: string) => T | undefined,
    secret = false,
  ): T | F {
    const text = this.text(variable);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) {
      this.problem(variable, secret ? '(hidden)' : JSON.stringify(text), allowed);

      return fallback;
    }

    return value;
  }

  problem(variable: string, value: string, allowed: string): void {
    this.#problems.push({ variable, value, allowed });
  }

  /** Throws ConfigError with every problem found. */
  finish(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }
}
