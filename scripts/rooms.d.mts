export const ROOMS: readonly (readonly [name: string, what: string])[];
export const NATIVE_ROOMS: readonly string[];
export function roomOf(file: string): string;
