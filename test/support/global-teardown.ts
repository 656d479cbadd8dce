/** Once after all test files, also when some failed. */
export default async function teardown(): Promise<void> {
  await globalThis.testGuardian?.finish();
}
