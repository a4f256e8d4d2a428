/** Environment variables, where there is an environment and it may be read. */

/** The value, or '' where it is not set, not there (browsers), or forbidden (Deno asks for it). */
export function environment(name: string): string {
  try {
    return globalThis.process?.env?.[name] ?? '';
  } catch {
    return '';
  }
}
