/** Which libraries this process has loaded, by the paths of their files. */
export function loadedLibraries(): readonly string[] {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  return sharedObjects;
}
